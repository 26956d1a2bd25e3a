package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// Summary is what many runs came to. Summaries of parts of a campaign merge into that of the whole.
type Summary struct {
	Of         string            `json:"of,omitempty"` // what the runs were of; empty: seeds
	Seeds      uint64            `json:"seeds"`
	Twice      uint64            `json:"run_twice"` // of them, and both runs were the same
	Events     uint64            `json:"events"`
	Hash       uint64            `json:"hash"` // the sum of the hashes of all runs, whatever their order: the same seeds give the same
	Simulated  time.Duration     `json:"-"`
	Hours      float64           `json:"simulated_hours"`
	Seconds    float64           `json:"seconds"` // of real time, of all machines together
	Coverage   Coverage          `json:"coverage"`
	Excused    map[string]uint64 `json:"excused"` // why runs were let off from converging, and how many
	Violations []Broken          `json:"violations"`
}

// Broken is a violation, and how to see it again.
type Broken struct {
	Seed      uint64 `json:"seed"`
	Scenario  string `json:"scenario,omitempty"`
	Invariant string `json:"invariant"`
	Detail    string `json:"detail"`
	At        Span   `json:"at"`
	Faults    int    `json:"faults"` // of the minimal plan
	File      string `json:"file,omitempty"`
}

// run names the run that broke something.
func (b *Broken) run() string {
	if b.Scenario != "" {
		return "scenario " + b.Scenario
	}
	return fmt.Sprintf("seed %d", b.Seed)
}

// Error tells what was broken by which run.
func (b *Broken) Error() string { return b.run() + " breaks invariant " + b.Invariant }

// Count adds a run.
func (s *Summary) Count(r *Result) {
	s.Seeds++
	s.Events += r.Events
	s.Hash += r.Hash
	s.Simulated += r.Simulated
	s.Hours = s.Simulated.Hours()
	s.Coverage.Add(&r.Coverage)
	if r.Excused != "" {
		s.excuse(r.Excused, 1)
	}
}

func (s *Summary) excuse(why string, n uint64) {
	if s.Excused == nil {
		s.Excused = map[string]uint64{}
	}
	s.Excused[why] += n
}

// Merge adds another summary.
func (s *Summary) Merge(o *Summary) {
	s.Of = cmp.Or(s.Of, o.Of)
	s.Seeds += o.Seeds
	s.Twice += o.Twice
	s.Events += o.Events
	s.Hash += o.Hash
	s.Simulated += o.Simulated
	s.Hours += o.Hours
	s.Seconds += o.Seconds
	s.Coverage.Add(&o.Coverage)
	for why, n := range o.Excused { // in any order: sums of integers
		s.excuse(why, n)
	}
	s.Violations = append(s.Violations, o.Violations...)
	slices.SortStableFunc(s.Violations, func(a, b Broken) int { return cmp.Compare(a.Seed, b.Seed) })
}

// ReadSummary reads what was written as JSON.
func ReadSummary(path string) (*Summary, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Summary{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// JSON writes the summary.
func (s *Summary) JSON() []byte {
	text, err := json.MarshalIndent(s, "", "  ")
	must(err)
	return append(text, '\n')
}

const hoursOfYear = 365 * 24

// Print writes the summary for people.
func (s *Summary) Print(out io.Writer) {
	runs := cmp.Or(s.Of, "seeds")
	held := fmt.Sprintf("%d %s held every invariant", s.Seeds, runs)
	if n := len(s.Violations); n > 0 {
		held = fmt.Sprintf("%d of %d %s broke an invariant", n, s.Seeds, runs)
	}
	excused := uint64(0)
	for _, n := range s.Excused { // in any order: a sum of integers
		excused += n
	}
	var faults uint64
	for _, n := range s.Coverage.Faults {
		faults += n
	}
	fmt.Fprintf(out, "%s (%d excused from converging): %.1f M events; %.0f simulated hours (%.3f years) with %d faults (%.0f an hour) in %s; %.2f M events/s; hash %016x\n",
		held, excused, float64(s.Events)/1e6, s.Hours, s.Hours/hoursOfYear, faults, float64(faults)/max(s.Hours, 1e-9),
		time.Duration(s.Seconds*1e9).Round(time.Millisecond), float64(s.Events)/1e6/max(s.Seconds, 1e-9), s.Hash)
	if s.Twice > 0 {
		fmt.Fprintf(out, "%d %s were run twice, and both runs were the same event for event\n", s.Twice, runs)
	}
	for _, why := range slices.Sorted(maps.Keys(s.Excused)) {
		fmt.Fprintf(out, "  excused %4d: %s\n", s.Excused[why], why)
	}
	for _, v := range s.Violations {
		fmt.Fprintf(out, "  %s breaks %s: %s %s\n", v.run(), v.Invariant, v.Detail, v.File)
	}
}
