package etcdv3

import (
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

var errNobody = errors.New("no endpoint to ask")

// meanings maps what etcd says to what the rules understand. rpctypes goes by etcd's words and not by gRPC codes, of which
// some differ between versions (3.0 has Internal where later ones have FailedPrecondition).
var meanings = map[error]error{
	rpctypes.ErrMemberNotEnoughStarted: effects.ErrUnhealthy,
	rpctypes.ErrUnhealthy:              effects.ErrUnhealthy,
	rpctypes.ErrTooManyLearners:        effects.ErrTooManyLearners,
	rpctypes.ErrMemberNotFound:         effects.ErrNotFound,
	rpctypes.ErrMemberExist:            effects.ErrExists,
	rpctypes.ErrPeerURLExist:           effects.ErrExists,
	rpctypes.ErrMemberNotLearner:       effects.ErrNotLearner,
	rpctypes.ErrMemberLearnerNotReady:  effects.ErrNotInSync,
	rpctypes.ErrNotLeader:              effects.ErrNotLeader,
}

// errLearner is what a learner answers to almost everything (isRPCSupportedForLearner, 3.4 to 3.7).
var errLearner = rpctypes.Error(rpctypes.ErrGRPCNotSupportedForLearner)

// explain wraps what a server answered in what it means.
func explain(endpoint string, err error) error {
	if err == nil {
		return nil
	}
	said := rpctypes.Error(err)
	var known rpctypes.EtcdError
	if errors.As(said, &known) {
		if meaning, ok := meanings[known]; ok {
			return fmt.Errorf("%s: %w: %w", endpoint, meaning, said)
		}
	}
	return fmt.Errorf("%s: %w", endpoint, said)
}

func refusedByLearner(err error) bool { return errors.Is(err, errLearner) }
