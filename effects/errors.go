package effects

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// What the outside told us, where a rule depends on it. Adapters wrap these; every other error leaves the outcome unknown.
var (
	// ErrRefused: nothing listens there.
	ErrRefused = errors.New("connection refused")
	// ErrTLS: something listens there, and the two could not agree on who they are: a certificate is missing or not trusted, or
	// only one of them speaks TLS. That does not pass by itself.
	ErrTLS = errors.New("no TLS connection")
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

// MarkTLS makes an [ErrTLS] of an error that comes from package crypto/tls. It goes by the text, which begins with "tls: ": gRPC
// keeps nothing else, and of the types not all are exported.
func MarkTLS(err error) error {
	if err != nil && (strings.Contains(err.Error(), "tls: ") || errors.Is(err, http.ErrSchemeMismatch)) {
		return fmt.Errorf("%w: %s", ErrTLS, ofNow.ReplaceAllString(err.Error(), "now is $1"))
	}
	return err
}

// ofNow is the time of day in an error about a certificate that has expired: with it, each would be another, and be logged.
var ofNow = regexp.MustCompile(`current time \S+ is (after|before)`)
