package etcdv3

import (
	"context"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-appliance/etcd-appliance/effects/nothing"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Auth tells whether users and roles are switched on. From 3.5 on there is a call for it; before, a read that needs a user tells.
func (e *Etcd) Auth(ctx context.Context, endpoints []string) (states.Fact, error) {
	on := states.Unknown
	err := e.read(ctx, endpoints, func(ctx context.Context, s *server) error {
		r, err := pb.NewAuthClient(s.ActiveConnection()).AuthStatus(ctx, &pb.AuthStatusRequest{})
		if err == nil {
			on = states.Is(r.GetEnabled())
			return nil
		}
		switch _, err = s.Get(ctx, nothing.Key); {
		case err == nil:
			on = states.No
		case strings.Contains(err.Error(), "user name is empty"): // rpctypes.ErrUserEmpty, in every version
			on = states.Yes
		default:
			return err
		}
		return nil
	})
	return on, err
}
