package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is a line that tells how far something long is. It is drawn on terminals only.
type progress struct {
	done, ended chan struct{}
}

func startProgress(out io.Writer, line func(took time.Duration) string) *progress {
	p := &progress{done: make(chan struct{}), ended: make(chan struct{})}
	file, isFile := out.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		close(p.ended)
		return p
	}
	begun := time.Now()
	go func() {
		defer close(p.ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				text := line(time.Since(begun))
				if width, _, err := term.GetSize(int(file.Fd())); err == nil { // a line that wraps cannot be overwritten
					text = text[:min(len(text), max(0, width-1))]
				}
				fmt.Fprintf(out, "\r\033[K%s", text)
			case <-p.done:
				fmt.Fprint(out, "\r\033[K")
				return
			}
		}
	}()
	return p
}

func (p *progress) stop() {
	close(p.done)
	<-p.ended
}

// line is one look at the campaign.
func (c *campaign) line(took time.Duration) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all()
	share := float64(c.sum.Seeds) / float64(max(all, 1))
	const width = 24
	full := int(share * width)
	bar := make([]byte, width)
	for i := range bar {
		bar[i] = '.'
		if i < full {
			bar[i] = '#'
		}
	}
	left := "?"
	if share > 0 {
		rest := time.Duration(float64(took) * (1 - share) / share)
		if c.limit > 0 {
			rest = min(rest, max(0, c.limit-took))
		}
		left = rest.Round(time.Second).String()
	}
	return fmt.Sprintf("[%s] %d of %d runs, %.1f runs/s, %.2f M events/s, %s left, %d broken",
		bar, c.sum.Seeds, all, float64(c.sum.Seeds)/took.Seconds(), float64(c.sum.Events)/1e6/took.Seconds(), left, len(c.failed))
}
