package explore

import (
	"strings"
	"testing"
)

func TestScratch(t *testing.T) {
	for _, o := range []Options{
		{Scope: ScopeBootstrap, Nodes: 3},
		{Scope: ScopeJoin, Nodes: 3, Terminate: 1, MaxStates: 3e6},
		{Scope: ScopeJoin, Nodes: 3, Terminate: 1, Crashes: 1, MaxStates: 3e6},
		{Scope: ScopeJoin, Nodes: 3, Terminate: 1, Crashes: 1, Lost: 1, MaxStates: 3e6},
	} {
		r, err := Run(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v: states %d transitions %d depth %d goals %d stuck %d excused %d took %s %v\n%s", o, r.States, r.Transitions, r.Depth, r.Goals, r.Stuck, r.Excused, r.Took, r.Err(), strings.Join(r.Trace, "\n"))
	}
}
