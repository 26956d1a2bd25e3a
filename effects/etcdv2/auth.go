package etcdv2

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Auth tells whether the users and roles of the v2 API are switched on; those of v3 are others. Everybody may ask (2.3.8
// client_auth.go hasWriteRootAccess), and the server answers from what it knows.
func (e *Etcd) Auth(ctx context.Context, endpoints []string) (states.Fact, error) {
	on := states.Unknown
	err := e.read(ctx, endpoints, func(ctx context.Context, endpoint string) error {
		var told struct {
			Enabled *bool `json:"enabled"`
		}
		if _, err := e.get(ctx, endpoint, "/v2/auth/enable", &told); err != nil {
			return err
		}
		if told.Enabled == nil {
			return fmt.Errorf("ask %s: %w", endpoint, errNotSaid)
		}
		on = states.Is(*told.Enabled)
		return nil
	})
	return on, err
}

var errNotSaid = errors.New("whether authentication is on is not in the answer")
