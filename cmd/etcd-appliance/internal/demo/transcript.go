package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// transcript tells the demo in lines, each with its time since the beginning.
type transcript struct {
	out       io.Writer
	told      []outcome
	decisions int
}

func newTranscript(out io.Writer) *transcript { return &transcript{out: out} }

func (t *transcript) run(ctx context.Context, p *play) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done(): // once more, for what is new
		case <-tick.C:
		}
		if err := t.tell(p); err != nil {
			return err
		}
	}
	return nil
}

// event is something to tell.
type event struct {
	at   time.Time
	text string
}

// tell writes what is new: acts that began, decisions, acts that are over.
func (t *transcript) tell(p *play) error {
	outcomes, decisions := p.outcomesNow(), p.rig.Decisions()
	var events []event
	for n, o := range outcomes {
		var before outcome
		if n < len(t.told) {
			before = t.told[n]
		}
		name := fmt.Sprintf("act %d of %d", n+1, len(outcomes))
		if before.begun.IsZero() && !o.begun.IsZero() {
			events = append(events, event{o.begun, name + ": " + o.title})
		}
		if o.over && !before.over {
			events = append(events, event{o.begun.Add(o.right), fmt.Sprintf("%s is over: cluster healthy after %s, DNS right after %s, longest time without a write %s",
				name, seconds(o.healthy), seconds(o.right), gap(o.written.Lap))})
		}
	}
	for _, d := range decisions[t.decisions:] {
		events = append(events, event{d.At, decisionText(d)})
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	for _, e := range events {
		if _, err := fmt.Fprintf(t.out, "%s  %s\n", clock(e.at.Sub(p.begun)), e.text); err != nil {
			return err
		}
	}
	t.told, t.decisions = outcomes, len(decisions)
	return nil
}

// decisionText is a decision in one line.
func decisionText(d rig.Decision) string {
	var b strings.Builder
	b.WriteString(short(d.Instance) + "  ")
	if d.From != d.To {
		b.WriteString(d.From + " → ")
	}
	b.WriteString(d.To + ": " + d.Why)
	if len(d.Commands) > 0 {
		b.WriteString("; does: " + strings.Join(d.Commands, ", "))
	}
	if len(d.Reports) > 0 {
		b.WriteString("; reports: " + strings.Join(d.Reports, ", "))
	}
	return b.String()
}

// short is enough of an instance's ID to tell it from the others here.
func short(id string) string { return id[:min(len(id), 10)] }

// clock writes 01:23.4.
func clock(d time.Duration) string {
	tenths := max(0, d).Milliseconds() / 100
	return fmt.Sprintf("%02d:%02d.%d", tenths/600, tenths/10%60, tenths%10)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// gap writes the longest time without a write.
func gap(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return seconds(d)
}
