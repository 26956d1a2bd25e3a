package states

import (
	"fmt"
	"slices"
)

// reportWarning tells what AWS means to do. A launch is not given up for it: another instance may be warned as well.
func (t *turn) reportWarning(v *verdict) {
	if t.Ending.Warned != "" {
		v.reports = append(v.reports, "AWS means to stop or end this instance: "+t.Ending.Warned)
		slices.Sort(v.reports)
	}
}

// yields hands the leadership of an instance that AWS means to end to a healthy voter whose instance stays, as far as is known: what
// comes with a warning is to cost no election. It is tried once for a warning: the next leader may be warned too, and hands it on or
// back; and the cluster takes no writes while it is tried in vain.
func (t *turn) yields(v *verdict) bool {
	e := &t.Ending
	if e.Warned == "" || e.Warned == e.Yielded || !t.Process.Minor.MovesLeader() {
		return false
	}
	to := t.successor(t.Local().MemberID)
	if to == nil || !t.stays(to) || t.lag(to) > settleLag {
		return false
	}
	v.why = fmt.Sprintf("leads, and AWS means to stop or end its instance: hands the leadership to %s", to.Key())
	v.commands = append(v.commands, MoveLeader{To: to.ID, At: e.Warned})
	return true
}
