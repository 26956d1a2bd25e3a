package main

import (
	"context"
	"slices"
	"sync"
)

// judgeOracles switches each invariant off in turn. Something that it finds must live then: a planted bug, or an automatic
// mutant. An invariant without which all die as before has nothing to do.
func (c *court) judgeOracles(ctx context.Context, mine []*mutant, results []*result) {
	var all sync.WaitGroup
	free := make(chan struct{}, c.workers)
	for i, oracle := range mine {
		if oracle.Kind != "oracle" {
			continue
		}
		r := &result{mutant: oracle, Layers: map[string]outcome{}}
		results[i] = r
		all.Go(func() {
			for _, bug := range finds(results, oracle) {
				free <- struct{}{}
				lives := c.livesWithout(ctx, oracle, bug)
				<-free
				if lives {
					r.Needed = append(r.Needed, bug.Name)
					break
				}
			}
			c.progress(r)
		})
	}
	all.Wait()
}

// finds lists what the seeds found by an invariant, planted bugs first.
func finds(results []*result, oracle *mutant) []*result {
	var found []*result
	for _, r := range results {
		if r != nil && (r.Kind == "bug" || r.Kind == "auto") && r.Layers["seeds"].Killed && r.Layers["seeds"].By == oracle.want {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b *result) int {
		if a.Kind == b.Kind {
			return 0
		}
		if a.Kind == "bug" {
			return -1
		}
		return 1
	})
	return found[:min(len(found), 12)]
}

// livesWithout asks the seeds about a bug while an invariant is off.
func (c *court) livesWithout(ctx context.Context, oracle *mutant, bug *result) bool {
	layers := bug.layers(c.seeds)
	return !c.outcome(ctx, layers[len(layers)-1], bug.mutant, oracle).Killed
}
