package status

import (
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// freshRead is how old a read through quorum may be that proves a member to have caught up. The member list is read every 10 s at rest
// (effects listRest), and one question may take 4 s.
const freshRead = 20 * time.Second

// linearizable is the first minor whose member list is read through quorum by default, and so shows that its server has applied all
// that was committed by then (etcd CHANGELOG-3.5, MemberListRequest.linearizable). Of an older one nothing but itself is known.
var linearizable = states.MinorVersion{Major: 3, Minor: 5}

// Ready tells whether the member of this instance is a healthy voter that has caught up, and if not, what it is instead.
func (s *Snapshot) Ready() (ready bool, why string) {
	f := &s.Facts
	switch local, c := &f.Cluster.Local, &f.Cluster; {
	case f.Process.Running == states.Unknown:
		return false, "has not looked at its etcd yet"
	case f.Process.Running != states.Yes:
		return false, "etcd does not run" + after(f.Process.Detail)
	case local.Answers != states.Yes:
		return false, "etcd runs and does not answer"
	case local.Learner:
		return false, "its member is a learner still"
	case local.Leader == 0:
		return false, "its member knows no leader"
	case local.Alarm != "":
		return false, "its member has raised an alarm: " + local.Alarm
	case c.Known != states.Yes:
		return false, "no quorum answers"
	case f.Now.Sub(c.At) > freshRead:
		return false, fmt.Sprintf("no quorum has answered for %s", f.Now.Sub(c.At).Round(time.Second))
	case c.By != local.MemberID && c.By != 0 && !local.Version.MinorOf().Less(linearizable):
		return false, "its member has not caught up: it did not answer a read through quorum, and another did"
	}
	return true, ""
}

// Alive tells whether the loop has taken a turn lately. It rests for a second at most.
func (s *Snapshot) Alive(now time.Time) (alive bool, why string) {
	const patience = 15 * time.Second
	if s == nil {
		return false, "the daemon has not taken a turn yet"
	}
	if rested := now.Sub(s.Ended); rested > patience {
		return false, fmt.Sprintf("the daemon has taken no turn for %s", rested.Round(time.Second))
	}
	return true, ""
}

func after(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}
