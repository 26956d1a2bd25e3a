package states

// upgrade is the state of the holder of the upgrade lock. No rule leads here yet: until the lock's rules are written, an
// instance that wants another minor than its cluster runs the cluster's and says that it waits (see steady in running.go).
func (t *turn) upgrade() verdict {
	return move(UpgradeEnded, "this version of the daemon does not upgrade")
}
