package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// result is what became of a mutant.
type result struct {
	*mutant
	Layers     map[string]outcome `json:"layers"`               // of those that were asked
	Equivalent string             `json:"equivalent,omitempty"` // why nothing can notice it
	Needed     []string           `json:"needed,omitempty"`     // of an oracle: what lives while it is off
}

// killed tells which layers have noticed, in their order.
func (r *result) killed() (by []string) {
	for _, name := range layerNames {
		if r.Layers[name].Killed {
			by = append(by, name)
		}
	}
	return by
}

var layerNames = []string{"unit", "conformance", "search", "seeds", "goals"}

// court judges mutants, several at a time.
type court struct {
	*options
	*lab
	cache  *cache
	judges map[string]string // hash of what a layer of a package depends on
	begun  time.Time

	mu          sync.Mutex
	done, alive int
	total       int
	err         error
}

// products are the folders that the outcome of the search and of seeds depends on.
var products = []string{"states", "agent", "effects", "sim", "cmd/mutants/driver"}

func judgeAll(ctx context.Context, o *options, l *lab) ([]*result, error) {
	mine := l.mutants
	c := &court{options: o, lab: l, begun: time.Now(), total: len(mine)}
	var err error
	if c.cache, err = openCache(o.dir + "/outcomes.jsonl"); err != nil {
		return nil, err
	}
	if err := c.hashJudges(); err != nil {
		return nil, err
	}
	if err := c.sane(ctx); err != nil {
		return nil, err
	}
	if strings.Contains(o.layers, "unit") {
		c.sweep(ctx)
		say("the quick tests have seen them after %s", time.Since(c.begun).Round(time.Second))
	}
	results := make([]*result, len(mine))
	next := make(chan int)
	var all sync.WaitGroup
	for range o.workers {
		all.Go(func() {
			for i := range next {
				results[i] = c.judge(ctx, mine[i])
			}
		})
	}
	for i := range mine {
		if mine[i].Kind != "oracle" {
			next <- i
		}
	}
	close(next)
	all.Wait()
	say("")
	if c.err == nil {
		c.judgeOracles(ctx, mine, results)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted; the next run goes on from here")
	}
	return results, c.err
}

// sane asks every layer once with no mutant on: a test that fails anyhow would seem to kill them all.
func (c *court) sane(ctx context.Context) error {
	asked := map[string]bool{}
	for _, m := range c.mutants {
		if m.Kind == "oracle" {
			continue // an invariant that is off is judged by the seeds of the bugs that it finds
		}
		for _, y := range m.layers(c.seeds) {
			id := y.name
			if y.name == "unit" || y.name == "conformance" {
				id += y.pkg
			}
			if asked[id] || !strings.Contains(c.layers, y.name) {
				continue
			}
			asked[id] = true
			if o := c.outcome(ctx, y); o.Killed {
				return fmt.Errorf("%s of %s fails without any mutant: %s %s", y.name, y.pkg, o.By, o.Detail)
			}
		}
	}
	return nil
}

// hashJudges hashes what the outcomes of each layer depend on, so that no stale one is believed.
func (c *court) hashJudges() error {
	base, err := hashOf(c.lab.root, products, func(path string) bool { return strings.HasSuffix(path, ".go") && !isTest(path) })
	if err != nil {
		return err
	}
	c.judges = map[string]string{"search": base, "seeds": base, "goals": base}
	for pkg := range c.binaries {
		own, err := hashOf(c.lab.root, []string{pkg}, isTest)
		if err != nil {
			return err
		}
		c.judges["unit "+pkg] = base + own
		c.judges["conformance "+pkg] = base + own
	}
	return nil
}

// judge asks the layers about a mutant: of a known bug all, and else until the first notices it.
func (c *court) judge(ctx context.Context, m *mutant) *result {
	r := &result{mutant: m, Layers: map[string]outcome{}, Equivalent: m.same}
	if m.same != "" {
		unit := m.layers(c.seeds)[0]
		if o, _ := c.cache.get(key(c.judges["unit "+unit.pkg], unit, m)); o.Killed {
			c.fail(fmt.Errorf("equivalent.txt: %s is not the same program: %s tells", m.Name, o.By))
		}
	} else {
		for _, y := range m.layers(c.seeds) {
			if !strings.Contains(c.layers, y.name) {
				continue
			}
			o := c.outcome(ctx, y, m)
			if !r.Layers[y.name].Killed {
				r.Layers[y.name] = o
			}
			if o.Killed && m.Kind != "bug" {
				break
			}
		}
	}
	c.progress(r)
	return r
}

// outcome asks a layer, unless it was asked before.
func (c *court) outcome(ctx context.Context, y layer, on ...*mutant) outcome {
	judge := c.judges[y.name]
	if judge == "" {
		judge = c.judges[y.name+" "+y.pkg]
	}
	k := key(judge, y, on...)
	before, known := c.cache.get(k)
	if known && (before.Killed || before.Seeds >= y.seeds) || ctx.Err() != nil {
		return before
	}
	o := c.ask(ctx, y.after(before.Seeds), on...)
	if ctx.Err() != nil || len(on) == 0 && o.Killed {
		return o // killed by the interrupt, or by the machine's state, which the next run may not meet
	}
	if err := c.cache.put(k, o); err != nil {
		c.fail(err)
	}
	return o
}

// progress tells how far it is, on one line of a terminal.
func (c *court) progress(r *result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if r.Kind != "oracle" && r.Equivalent == "" && len(r.killed()) == 0 {
		c.alive++
	}
	end := "\r"
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		if c.done%100 != 0 && c.done != c.total {
			return
		}
		end = "\n"
	}
	left := time.Since(c.begun) / time.Duration(c.done) * time.Duration(c.total-c.done)
	fmt.Fprintf(os.Stderr, "%d of %d judged, %d alive, %s left   %s", c.done, c.total, c.alive, left.Round(time.Second), end)
}
