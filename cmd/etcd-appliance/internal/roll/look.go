package roll

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// minorOf is zero for a server that has not told its version.
func minorOf(version string) states.MinorVersion {
	v, err := states.ParseVersion(version)
	if err != nil {
		return states.MinorVersion{}
	}
	return v.MinorOf()
}

// running lists the instances in service whose server is of this minor.
func (l *Look) running(minor states.MinorVersion) []observer.Instance {
	return slices.DeleteFunc(l.InService(), func(i observer.Instance) bool { return minorOf(i.Etcd.Version) != minor })
}

func (l *Look) notRunning(minor states.MinorVersion) []observer.Instance {
	return slices.DeleteFunc(l.InService(), func(i observer.Instance) bool { return minorOf(i.Etcd.Version) == minor })
}

// unclear tells what could not be asked.
func (l *Look) unclear() error {
	switch {
	case len(l.Errors) > 0:
		return l.Errors[0]
	case l.LockErr != nil:
		return fmt.Errorf("read the upgrade lock: %w", l.LockErr)
	}
	return nil
}

// unsettled tells what is missing to a cluster in order, of which one thing may be changed.
func (l *Look) unsettled() error {
	if err := l.unclear(); err != nil {
		return err
	}
	if l.Lock.Owner != "" {
		return fmt.Errorf("%s takes its etcd from %s to %s", l.Lock.Owner, l.Lock.From, l.Lock.To)
	}
	return l.Settled(l.Desired)
}

func (l *Look) halted() error {
	return fmt.Errorf("the upgrade to etcd %s has failed at %s and is halted: %s (mend it, end the halt with etcd-appliance unlock, and roll again)",
		l.Halt.To, l.Halt.Owner, cmp.Or(l.Halt.Why, "no reason given"))
}

// voters are the names of the voters, by the longest of the lists that servers tell.
func (l *Look) voters() map[string]bool {
	var longest []observer.Member
	for _, i := range l.Instances {
		if len(i.Etcd.Members) > len(longest) {
			longest = i.Etcd.Members
		}
	}
	names := map[string]bool{}
	for _, m := range longest {
		if !m.Learner && m.Name != "" {
			names[m.Name] = true
		}
	}
	return names
}

// next is the instance that is replaced next: followers first, those launched longest ago first, and the leader last, since its
// end costs an election.
func next(l *Look, left []observer.Instance) observer.Instance {
	leader, _ := l.Leader()
	for _, i := range left {
		if i.ID != leader.ID {
			return i
		}
	}
	return left[0]
}

// fingerprint is everything by which progress is told.
func (l *Look) fingerprint() string {
	var b strings.Builder
	for _, i := range l.Instances {
		fmt.Fprintf(&b, "%s %s %s %s %t %t %x\n", i.ID, i.State, i.Lifecycle, i.Etcd.Version, i.Etcd.Serves, i.Etcd.Learner, i.Etcd.MemberID)
	}
	fmt.Fprintf(&b, "%s %d %s %v", l.Lock.Owner, l.Lock.Revision, l.Claim.State, l.DNS.A)
	return b.String()
}
