package states

import "time"

// Quorum is the number of voters, of n, that must agree before etcd commits anything.
func Quorum(n int) int { return n/2 + 1 }

// SurvivesRemoval tells whether a cluster of n voters, of which healthy answer, still has its quorum after one voter is
// removed. removedHealthy says whether the voter to be removed is one of the healthy ones. After the only voter nobody is left,
// which is no quorum.
func SurvivesRemoval(n, healthy int, removedHealthy bool) bool {
	if removedHealthy {
		healthy--
	}
	return healthy >= Quorum(n-1)
}

// reportLoss tells an operator of a cluster that has had no quorum for a while, which no daemon may do anything about: whether its
// members come back, only a human can know (invariant L7).
func (t *turn) reportLoss(v *verdict) {
	c, p := &t.Cluster, &t.Process
	var since time.Time
	switch {
	case c.Known == No:
		since = c.Lost
	case c.Known == Unknown && p.Running == Yes && t.Local().Answers != Yes: // not since the daemon has started, or its server
		since = later(p.Started, t.since)
	}
	if !since.IsZero() && t.Now.Sub(since) > reportAfter {
		v.reports = append(v.reports, "no quorum of the cluster answers")
	}
}
