package effects

import "errors"

// What the outside told us, where a rule depends on it. Adapters wrap these; every other error leaves the outcome unknown.
var (
	// ErrRefused: nothing listens there.
	ErrRefused = errors.New("connection refused")
	// ErrUnhealthy: etcd refuses to change its membership now (not enough started members, or a voter connected for less
	// than 5 s); asking again later is right.
	ErrUnhealthy = errors.New("etcd refuses a membership change while the cluster is unhealthy")
	// ErrTooManyLearners: another learner is being brought in.
	ErrTooManyLearners = errors.New("etcd has as many learners as it allows")
	// ErrNotFound: no such member.
	ErrNotFound = errors.New("no such member")
	// ErrExists: a member with this peer URL is there already.
	ErrExists = errors.New("a member with this peer URL exists")
	// ErrNotLearner: the member is a voter already.
	ErrNotLearner = errors.New("the member is not a learner")
	// ErrNotInSync: the learner lags too far behind to be promoted.
	ErrNotInSync = errors.New("the learner is not in sync with the leader")
	// ErrNotLeader: this server does not lead.
	ErrNotLeader = errors.New("not the leader")
	// ErrChanged: what a compare-and-set was to replace is no longer there.
	ErrChanged = errors.New("it was changed by someone else")
)
