package roll

import (
	"fmt"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// How long what is not as it should be may last before a roll stops at it. An election takes 1 to 2 s, and a member that changes
// its server is down for about as long; AWS and DNS have hiccups that nothing follows from.
const (
	quorumPatience = 15 * time.Second
	memberPatience = 2 * time.Minute
	blindPatience  = 2 * time.Minute
)

// watch looks out for anomalies: what neither the roll nor an upgrade does.
type watch struct {
	cluster uint64          // ID
	desired int             // capacity of the group
	known   map[string]bool // instances that were in service at any look
	ended   map[string]bool // those that the roll has terminated
	since   map[string]time.Time
	now     func() time.Time
}

func newWatch(l *Look) watch {
	w := watch{desired: l.Desired, known: map[string]bool{}, ended: map[string]bool{}, since: map[string]time.Time{}, now: time.Now}
	if ids := l.ClusterIDs(); len(ids) == 1 {
		w.cluster = ids[0]
	}
	return w
}

// expect says that an instance ends because the roll has it end.
func (w *watch) expect(instance string) { w.ended[instance] = true }

// anomaly is what a roll stops at.
func (w *watch) anomaly(l *Look, current string) error {
	if l.Halt.Owner != "" {
		return l.halted()
	}
	for _, id := range l.ClusterIDs() {
		if w.cluster != 0 && id != w.cluster {
			return fmt.Errorf("a second cluster has appeared: %x beside %x", id, w.cluster)
		}
	}
	if w.lasts("blind", len(l.Errors) > 0, blindPatience) {
		return fmt.Errorf("the cluster cannot be seen for %s: %w", blindPatience, l.Errors[0])
	}
	if len(l.Errors) > 0 {
		return nil // and what this look shows means nothing
	}
	if l.Desired != w.desired {
		return fmt.Errorf("the desired capacity of the group has changed from %d to %d", w.desired, l.Desired)
	}
	if gone := w.vanished(l); gone != "" {
		return fmt.Errorf("%s has left the group, and the roll has not terminated it", gone)
	}
	return w.unhealthy(l, current)
}

// vanished names an instance that was in service and is not any more, though the roll has not terminated it.
func (w *watch) vanished(l *Look) string {
	var service []string
	for _, i := range l.InService() {
		service = append(service, i.ID)
		w.known[i.ID] = true
	}
	var gone []string
	for id := range w.known {
		if !w.ended[id] && !slices.Contains(service, id) {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	if len(gone) == 0 {
		return ""
	}
	return gone[0]
}

// unhealthy is a cluster without a quorum, or a voter that does not serve though nobody changes it.
func (w *watch) unhealthy(l *Look, current string) error {
	voters := l.voters()
	serve, down := 0, ""
	for _, i := range l.InService() {
		switch {
		case i.Etcd.Serves:
			serve++
		case voters[i.ID] && i.ID != l.Lock.Owner && i.ID != current:
			down = i.ID
		}
	}
	if w.lasts("quorum", serve < states.Quorum(len(voters)), quorumPatience) {
		return fmt.Errorf("only %d of %d members have served for %s, which is no quorum", serve, len(voters), quorumPatience)
	}
	if w.lasts("member", down != "", memberPatience) {
		return fmt.Errorf("%s does not serve for %s, and does not change its server", down, memberPatience)
	}
	return nil
}

// lasts tells whether something has been so at every look for a while.
func (w *watch) lasts(what string, is bool, patience time.Duration) bool {
	if !is {
		delete(w.since, what)
		return false
	}
	if w.since[what].IsZero() {
		w.since[what] = w.now()
	}
	return w.now().Sub(w.since[what]) > patience
}
