package states

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Version is an etcd version. The zero value means that the version is not known.
type Version struct{ Major, Minor, Patch int }

// MinorVersion is the part of a version that etcd's compatibility rules speak of: "3.7".
type MinorVersion struct{ Major, Minor int }

// ParseVersion reads "3.7.3", "3.7" or "3.7.0-rc.1" (whatever follows the patch is ignored).
func ParseVersion(s string) (Version, error) {
	parts := strings.SplitN(strings.TrimPrefix(strings.TrimSpace(s), "v"), ".", 3)
	if len(parts) < 2 {
		return Version{}, noVersion(s)
	}
	var v Version
	for i, field := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if i == len(parts) {
			break
		}
		digits := parts[i]
		if i == 2 {
			digits, _, _ = strings.Cut(strings.ReplaceAll(digits, "+", "-"), "-")
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 {
			return Version{}, noVersion(s)
		}
		*field = n
	}
	return v, nil
}

// ParseWanted reads which version is wanted: a minor, "3.7", whichever patch of it is installed, or a very version, "3.7.3".
func ParseWanted(s string) (minor MinorVersion, exact Version, err error) {
	v, _ := ParseVersion(s) // beside an error, none is known
	if !v.Known() {
		return MinorVersion{}, Version{}, noVersion(s)
	}
	if strings.Count(s, ".") > 1 {
		exact = v
	}
	return v.MinorOf(), exact, nil
}

func noVersion(s string) error {
	return fmt.Errorf("version %q: want MAJOR.MINOR or MAJOR.MINOR.PATCH, such as 3.7 or 3.7.3", s)
}

// MinorOf drops the patch.
func (v Version) MinorOf() MinorVersion { return MinorVersion{v.Major, v.Minor} }

// Known tells whether the version has been learnt.
func (v Version) Known() bool { return v != Version{} }

// Less orders versions.
func (v Version) Less(other Version) bool {
	if v.MinorOf() != other.MinorOf() {
		return v.MinorOf().Less(other.MinorOf())
	}
	return v.Patch < other.Patch
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Known tells whether the minor has been learnt.
func (m MinorVersion) Known() bool { return m != MinorVersion{} }

// Less orders minors: 2.3 < 3.0 < 3.10.
func (m MinorVersion) Less(other MinorVersion) bool {
	if m.Major != other.Major {
		return m.Major < other.Major
	}
	return m.Minor < other.Minor
}

func (m MinorVersion) String() string { return fmt.Sprintf("%d.%d", m.Major, m.Minor) }

// learnersFrom is the first minor that knows learners. A 3.3 member panics when a learner is added to its cluster, and a
// server up to 3.3 that is asked to add a learner silently adds a voter (etcd 3.3.27 membership/cluster.go).
var learnersFrom = MinorVersion{3, 4}

// HasLearners tells whether a cluster at this cluster version may be given a learner.
func (m MinorVersion) HasLearners() bool { return !m.Less(learnersFrom) }

// movesLeaderFrom is the first minor whose leader can be told to hand over to another member (etcd 3.3.27 MoveLeader). From 3.1 on
// a leader that is stopped hands over by itself; before, the others hold an election, which takes them a second or two.
var movesLeaderFrom = MinorVersion{3, 3}

// MovesLeader tells whether a server of this minor can be told to hand the leadership over. Of one that is not known it is assumed:
// nothing is lost by asking.
func (m MinorVersion) MovesLeader() bool { return !m.Known() || !m.Less(movesLeaderFrom) }

// unsettled are the cluster versions that a cluster of newer servers reports until every member has answered its leader once: the
// oldest that they can speak to, 2.3 for 3.0 and 3.0 for all that came later (etcd server/etcdserver/version/monitor.go).
var unsettled = []MinorVersion{{2, 3}, {3, 0}}

// standsIn tells whether a cluster version says nothing about the servers: one that newer servers begin with, while no member is
// known to run it.
func (c *Cluster) standsIn(level MinorVersion) bool {
	newer := false
	for i := range c.Members {
		v := c.Members[i].Version
		if v.Known() && !level.Less(v.MinorOf()) {
			return false
		}
		newer = newer || v.Known()
	}
	return newer && slices.Contains(unsettled, level)
}

// minorsInOrder are the minors that a cluster can be taken through, one after the other. 2.3 leads to 3.0 and to nothing else.
var minorsInOrder = []MinorVersion{{2, 3}, {3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 4}, {3, 5}, {3, 6}, {3, 7}}

// before is the minor that leads to this one; the zero value where none is known.
func (m MinorVersion) before() MinorVersion {
	if i := slices.Index(minorsInOrder, m); i > 0 {
		return minorsInOrder[i-1]
	}
	return MinorVersion{}
}

// Next is the minor that follows; the zero value where none is known.
func (m MinorVersion) Next() MinorVersion {
	if i := slices.Index(minorsInOrder, m); i >= 0 && i+1 < len(minorsInOrder) {
		return minorsInOrder[i+1]
	}
	return MinorVersion{}
}
