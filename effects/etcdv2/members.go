package etcdv2

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/nothing"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// member is how the v2 API tells a member; of itself a server tells its ID and name alike.
type member struct {
	ID         string   `json:"id"` // hexadecimal
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
}

func (m *member) parse(endpoint string, a answer) error {
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		return fmt.Errorf("ask %s: %w", endpoint, a.failure())
	}
	if err := json.Unmarshal(a.body, m); err != nil {
		return fmt.Errorf("ask %s: %w", endpoint, err)
	}
	return nil
}

func (m *member) state() (states.Member, error) {
	id, err := strconv.ParseUint(m.ID, 16, 64)
	s := states.Member{ID: id, Name: m.Name}
	if len(m.PeerURLs) > 0 {
		if u, err := url.Parse(m.PeerURLs[0]); err == nil {
			s.Address = u.Hostname()
		}
	}
	if len(m.ClientURLs) > 0 {
		s.ClientURL = m.ClientURLs[0]
	}
	return s, err
}

// Members reads the member list through quorum. The v2 API tells only what the server knows, however old that is; but a server
// that has just read a key through quorum has applied all that was decided before.
func (e *Etcd) Members(ctx context.Context, endpoints []string) (effects.EtcdMembers, error) {
	var list effects.EtcdMembers
	err := e.read(ctx, endpoints, func(ctx context.Context, endpoint string) error {
		if _, _, err := e.keys(ctx, http.MethodGet, endpoint, nothing.Key, url.Values{"quorum": {"true"}}, nil); err != nil {
			return err
		}
		var told struct {
			Members []member `json:"members"`
		}
		got, err := e.get(ctx, endpoint, "/v2/members", &told)
		if err != nil {
			return err
		}
		if list.ClusterID, err = clusterID(endpoint, got); err != nil {
			return err
		}
		list.Members = make([]states.Member, len(told.Members))
		for i := range told.Members {
			if list.Members[i], err = told.Members[i].state(); err != nil {
				return fmt.Errorf("ask %s: the ID of a member: %w", endpoint, err)
			}
		}
		slices.SortFunc(list.Members, func(a, b states.Member) int { return cmp.Compare(a.ID, b.ID) })
		return nil
	})
	if err != nil {
		return effects.EtcdMembers{}, err
	}
	return list, nil
}

// AddMember adds a voter; there are no learners.
func (e *Etcd) AddMember(ctx context.Context, endpoints []string, peerURL string, learner bool) (uint64, error) {
	if learner {
		return 0, fmt.Errorf("add a learner: %w", errUnsupported)
	}
	body, err := json.Marshal(map[string][]string{"peerURLs": {peerURL}})
	if err != nil {
		return 0, err
	}
	var id uint64
	err = e.change(ctx, endpoints, e.reached, func(ctx context.Context, endpoint string) error {
		got, err := e.call(ctx, http.MethodPost, endpoint, "/v2/members", "application/json", string(body))
		if err != nil {
			return err
		}
		if got.status == http.StatusConflict {
			return fmt.Errorf("%s: %w: %w", endpoint, effects.ErrExists, got.failure())
		}
		var added member
		if err := added.parse(endpoint, got); err != nil {
			return err
		}
		id, err = strconv.ParseUint(added.ID, 16, 64)
		return err
	})
	return id, err
}

// RemoveMember removes a member.
func (e *Etcd) RemoveMember(ctx context.Context, endpoints []string, id uint64) error {
	return e.change(ctx, endpoints, e.reached, func(ctx context.Context, endpoint string) error {
		got, err := e.call(ctx, http.MethodDelete, endpoint, fmt.Sprintf("/v2/members/%x", id), "", "")
		switch {
		case err != nil:
			return err
		case got.status == http.StatusNoContent:
			return nil
		case got.status == http.StatusNotFound, got.status == http.StatusGone:
			return fmt.Errorf("%s: %w: %w", endpoint, effects.ErrNotFound, got.failure())
		default:
			return fmt.Errorf("%s: %w", endpoint, got.failure())
		}
	})
}

var errUnsupported = errors.New("the v2 API cannot do that")

// PromoteMember is not in the v2 API: there are no learners.
func (e *Etcd) PromoteMember(context.Context, []string, uint64) error {
	return fmt.Errorf("promote a member: %w", errUnsupported)
}

// MoveLeader is not in the v2 API.
func (e *Etcd) MoveLeader(context.Context, string, uint64) error {
	return fmt.Errorf("move the leadership: %w", errUnsupported)
}
