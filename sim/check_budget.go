package sim

import (
	"context"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// call is a kind of call that has a budget.
type call uint8

const (
	unpriced call = iota // of no budget
	callGroups
	callOwn
	callInstances
	callZones
	callZone
	callRecords
	callChange
	callGetObject
	callPutObject
	callMembers
	callKeys
	callStatus
	callEdit
	callStart
	calls
)

// budgetWindow is the time that a budget is for.
const budgetWindow = 5 * time.Minute

// budgets is C9: how many calls a daemon makes in five minutes at most, in error states too. AWS is asked once a second at most
// (brisk), with two pages at most where nothing else is said; its limits are per account and action, and a group of five shares them with
// others. etcd is asked every 150 ms at most (fast), and again after each command; a lane rests for 100 ms after a failure.
// A server that keeps ending is started with delays that double up to 30 s, of which the jitter takes a quarter.
var budgets = [calls]struct {
	name string
	most uint16
	rows bool // its failures are told of to a source or a lane that rests after each, for twice as long each time
}{
	callGroups:    {"DescribeAutoScalingGroups", 330, true},
	callOwn:       {"DescribeAutoScalingInstances", 110, false}, // once for each look at the metadata, which is every 3 s
	callInstances: {"DescribeInstances", 1650, true},            // of which each may take a page for each of up to five members
	callZones:     {"ListHostedZonesByName", 330, true},
	callZone:      {"GetHostedZone", 330, true},
	callRecords:   {"ListResourceRecordSets", 660, true},
	callChange:    {"ChangeResourceRecordSets", 330, true},
	callGetObject: {"GetObject", 330, true},
	callPutObject: {"PutObject", 330, true},
	callMembers:   {"Members", 4000, false},
	callKeys:      {"Keys", 20000, false},   // of each of up to five members
	callStatus:    {"Status", 20000, false}, // of each of up to five members
	callEdit:      {"changes of etcd", 1500, false},
	callStart:     {"starts of its server", 25, false}, // that ended by itself; how often one is stopped is for the lock to say
}

// maxRow is how many calls of a kind may fail in a row. A source rests after each failure, twice as long each time up to 30 s, and is
// asked at once after each command of its lane, which rests in the same way: six in half a minute for each, some for clocks that
// go too fast, and then one for each pause.
func maxRow(lasted time.Duration) int { return 16 + 2*int(lasted/(30*time.Second)) }

var callsOfAWS = func() map[string]call {
	m := map[string]call{}
	for c := callGroups; c <= callPutObject; c++ {
		m[budgets[c].name] = c
	}
	return m
}()

// spent is what a daemon has called since the window began, and how many calls in a row have failed, since when.
type spent struct {
	begun time.Duration
	calls [calls]uint16
	rows  [callMembers]struct {
		begun time.Duration
		n     int
	}
}

func (n *node) spend(c call) {
	s := &n.spent
	if n.now-s.begun >= budgetWindow {
		s.begun, s.calls = n.now, [calls]uint16{}
	}
	s.calls[c]++
	if b := &budgets[c]; b.most > 0 && s.calls[c] > n.plan.budget(c) {
		n.fail("C9", "%s: %d calls of %s in %s", n, s.calls[c], b.name, n.now-s.begun)
	}
}

// budget is a daemon's for a kind of call; each region has limits of its own.
func (p *Plan) budget(c call) uint16 {
	most := budgets[c].most
	if c == callGroups || c == callInstances {
		most *= uint16(len(p.spans()))
	}
	return most
}

// fails notes what came of a call of AWS.
func (s *spent) fails(n *node, c call, err error) {
	row := &s.rows[c]
	switch {
	case err == nil || !budgets[c].rows:
		row.n = 0
		return
	case row.n == 0:
		row.begun = n.now
	}
	row.n++
	if row.n > maxRow(n.now-row.begun) {
		n.fail("C9", "%s: %d calls of %s in a row have failed in %s", n, row.n, budgets[c].name, n.now-row.begun)
	}
}

func (e checkedEtcd) Status(ctx context.Context, endpoint string) (effects.EtcdStatus, error) {
	e.spend(callStatus)
	return e.Etcd.Status(ctx, endpoint)
}
