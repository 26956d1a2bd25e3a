package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

// ciSeeds is how many seeds are enough for every goal to be reached; a run of so many fails when one is not.
const ciSeeds = 1000

// twice is that one in so many seeds is run twice, to prove that a seed is a run.
const twice = 100

// campaign runs a range of seeds, or a part of it, on all cores.
type campaign struct {
	seeds     int
	from      uint64
	shard     string
	save      string
	json      string
	keepGoing bool
	coverage  bool
	limit     time.Duration               // no run begins later than this after the first; 0: none
	planOf    func(seed uint64) *sim.Plan // nil: drawn from the seed
	fault     string
	kind      *sim.Kind // the only class of faults that is made; nil: as the seed says

	begun       time.Time
	part, parts uint64

	mu        sync.Mutex
	next      uint64 // seeds given out
	sum       sim.Summary
	failed    []sim.Result
	different error // a seed whose two runs differ
}

func (c *campaign) run(ctx context.Context, out, errOut io.Writer) error {
	if _, err := fmt.Sscanf(c.shard, "%d/%d", &c.part, &c.parts); err != nil || c.part < 1 || c.part > c.parts {
		return usageError{fmt.Errorf("--shard %s: want i/n with i from 1 to n", c.shard)}
	}
	if c.fault != "" {
		c.kind = new(sim.Kind)
		if err := c.kind.UnmarshalText([]byte(c.fault)); err != nil {
			return usageError{fmt.Errorf("--fault: %w (etcd-appliance sim faults lists them)", err)}
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	bar := startProgress(errOut, c.line)
	c.begun = time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed, more := c.take(); more && ctx.Err() == nil; seed, more = c.take() {
				c.one(seed)
			}
		})
	}
	all.Wait()
	bar.stop()
	c.sum.Seconds = time.Since(c.begun).Seconds()
	if err := c.report(out); err != nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("interrupted after %d of %d runs", c.sum.Seeds, c.all())
}

// all is how many runs this shard has.
func (c *campaign) all() uint64 { return (uint64(c.seeds) + c.parts - c.part) / c.parts }

// take gives out the next seed of this shard.
func (c *campaign) take() (seed uint64, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.next*c.parts + c.part - 1
	late := c.limit > 0 && time.Since(c.begun) > c.limit
	if i >= uint64(c.seeds) || late || c.different != nil || len(c.failed) > 0 && !c.keepGoing {
		return 0, false
	}
	c.next++
	return c.from + i, true
}

func (c *campaign) one(seed uint64) {
	o := sim.Options{Seed: seed}
	switch {
	case c.planOf != nil:
		o.Plan = c.planOf(seed)
	case c.kind != nil:
		plan := sim.Alone(seed, *c.kind)
		o.Plan = &plan
	}
	r := sim.Run(o)
	again := r
	if seed%twice == 0 {
		again = sim.Run(o)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Count(&r)
	if seed%twice == 0 {
		c.sum.Twice++
	}
	if again.Hash != r.Hash || again.Events != r.Events {
		c.different = fmt.Errorf("seed %d: two runs differ: %d events with hash %x, %d with %x", seed, r.Events, r.Hash, again.Events, again.Hash)
	}
	if r.Violation != nil {
		c.failed = append(c.failed, r)
	}
}

// report prints what came of it. Failures come last, where they are seen.
func (c *campaign) report(out io.Writer) error {
	slices.SortFunc(c.failed, func(a, b sim.Result) int { return cmp.Compare(a.Plan.Seed, b.Plan.Seed) })
	if !c.keepGoing && len(c.failed) > 1 {
		c.failed = c.failed[:1] // the others were under way when it failed
	}
	for i := range c.failed {
		c.sum.Violations = append(c.sum.Violations, sim.Explain(out, &c.failed[i], c.save))
	}
	c.sum.Merge(&sim.Summary{}) // sorts
	if c.json != "" {
		if err := os.WriteFile(c.json, c.sum.JSON(), 0o644); err != nil {
			return err
		}
	}
	err := summarize(out, &c.sum, c.coverage)
	return errors.Join(c.different, err)
}

// summarize prints a summary, and tells whether it is good.
func summarize(out io.Writer, s *sim.Summary, coverage bool) error {
	s.Print(out)
	if coverage {
		s.Coverage.Print(out)
	}
	if n := len(s.Violations); n > 0 {
		return &s.Violations[0]
	}
	if missed := s.Coverage.Missed(); len(missed) > 0 && s.Of == "" && s.Seeds >= ciSeeds {
		return fmt.Errorf("in %d seeds it never happened that %s", s.Seeds, missed[0])
	}
	return nil
}
