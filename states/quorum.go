package states

// Quorum is the number of voters, of n, that must agree before etcd commits anything.
func Quorum(n int) int { return n/2 + 1 }

// SurvivesRemoval tells whether a cluster of n voters, of which healthy answer, still has its quorum after one voter is
// removed. removedHealthy says whether the voter to be removed is one of the healthy ones.
func SurvivesRemoval(n, healthy int, removedHealthy bool) bool {
	if removedHealthy {
		healthy--
	}
	return n > 1 && healthy >= Quorum(n-1)
}
