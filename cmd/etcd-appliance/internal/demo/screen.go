package demo

import (
	"context"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Control sequences, of those that every terminal since the VT100 and xterm knows.
const (
	enter    = "\x1b[?1049h\x1b[?25l\x1b[?7l" // another screen, no cursor, no wrapping
	leave    = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home     = "\x1b[H"
	lineEnd  = "\x1b[K\r\n" // clear what the last frame left of the line
	clearEnd = "\x1b[J"
)

// screen draws the demo on a terminal, each frame over the last one and in one write, so that nothing flickers.
type screen struct {
	file   *os.File
	colour bool
}

func newScreen(file *os.File) *screen {
	return &screen{file, os.Getenv("NO_COLOR") == ""}
}

func (s *screen) run(ctx context.Context, p *play) error {
	_, _ = s.file.WriteString(enter)
	defer func() { _, _ = s.file.WriteString(leave) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		width, height, err := term.GetSize(int(s.file.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			width, height = 80, 24
		}
		width-- // clearing the rest of a line that is full would clear its last character
		if now := s.render(p.scene().frame(width, height), width, height); now != last {
			if _, err := s.file.WriteString(now); err != nil {
				return err
			}
			last = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// render turns lines into what is written to the terminal.
func (s *screen) render(lines []line, width, height int) string {
	var b strings.Builder
	b.WriteString(home)
	lines = lines[:min(len(lines), height)]
	for n, l := range lines {
		l.write(&b, width, s.colour)
		if n < len(lines)-1 {
			b.WriteString(lineEnd)
		}
	}
	b.WriteString(clearEnd)
	return b.String()
}

// A line is made of pieces, each in one style.
type line []piece

type piece struct {
	style style
	text  string
}

type style string

// Few and quiet: what is normal has no colour.
const (
	plain style = ""
	bold  style = "\x1b[1m"
	dim   style = "\x1b[2m"
	good  style = "\x1b[32m"
	busy  style = "\x1b[33m"
	bad   style = "\x1b[31m"
	reset       = "\x1b[0m"
)

// write writes at most width characters.
func (l line) write(b *strings.Builder, width int, colour bool) {
	for _, p := range l {
		text := []rune(p.text)
		if len(text) > width {
			text = append(text[:max(0, width-1)], '…')[:max(0, width)]
		}
		width -= len(text)
		if !colour || p.style == plain {
			b.WriteString(string(text))
			continue
		}
		b.WriteString(string(p.style) + string(text) + reset)
	}
}
