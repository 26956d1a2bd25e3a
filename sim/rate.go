package sim

import (
	"fmt"
	"strings"
	"time"
)

// Rate says how often faults of one class happen in a run, and how long one lasts at most.
type Rate struct {
	Kind   Kind    `json:"kind"`
	Chance float64 `json:"chance,omitempty"` // at one call or command
	Every  Span    `json:"every,omitempty"`  // mean time between two, for the faults of the world
	Most   Span    `json:"most,omitempty"`
}

func (r Rate) String() string {
	var s strings.Builder
	s.WriteString(r.Kind.String())
	if r.Chance > 0 {
		fmt.Fprintf(&s, " %.4f", r.Chance)
	}
	if r.Every > 0 {
		fmt.Fprintf(&s, " %s", time.Duration(r.Every).Round(time.Second))
	}
	if r.Most > 0 {
		fmt.Fprintf(&s, " up to %s", time.Duration(r.Most).Round(time.Second))
	}
	return s.String()
}

// drawRate draws how often faults of a class happen. Rates span orders of magnitude, and so do durations.
func drawRate(k Kind, s *stream) Rate {
	kind := &kinds[k]
	r := Rate{Kind: k}
	if x := s.rate(kind.low, kind.high); k.strikesCalls() {
		r.Chance = x
	} else {
		r.Every = Span(x * float64(time.Second))
	}
	if kind.most > 0 {
		r.Most = Span(s.rate(float64(max(kind.least, min(time.Second, kind.most))), float64(kind.most)))
	}
	return r
}

// dice decide at which calls of one node faults of one class strike. How many calls go by until the next is drawn at once, so
// that a call costs no random number of each class.
type dice struct {
	stream
	rolled bool
	passes uint64 // how many calls go by before the next strike
}

// strikes is asked at each call; a strike that is due and cannot be had at this call waits for the next.
func (d *dice) strikes(chance float64, here bool) bool {
	if !d.rolled {
		d.roll(chance)
	}
	if d.passes > 0 {
		d.passes--
		return false
	}
	if here {
		d.roll(chance)
	}
	return here
}

// roll draws from the geometric distribution.
func (d *dice) roll(chance float64) {
	d.rolled, d.passes = true, 0
	if chance < 1 {
		u := (float64(d.next()>>11) + 1) / (1 << 53)
		d.passes = uint64(ln(u) / ln(1-chance))
	}
}
