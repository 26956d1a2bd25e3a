package etcdv3

import (
	"context"
	"net/url"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Status asks one server how it is; it needs no quorum.
func (e *Etcd) Status(ctx context.Context, endpoint string) (effects.EtcdStatus, error) {
	var status effects.EtcdStatus
	err := e.attempt(ctx, endpoint, func(ctx context.Context, s *server) error {
		r, err := s.status(ctx)
		if err != nil {
			return err
		}
		version, err := states.ParseVersion(r.GetVersion())
		if err != nil {
			return err
		}
		applied := r.GetRaftAppliedIndex()
		if applied == 0 { // before 3.4 there is only RaftIndex, and it is the applied one
			applied = r.GetRaftIndex()
		}
		status = effects.EtcdStatus{
			ClusterID: r.GetHeader().GetClusterId(), MemberID: r.GetHeader().GetMemberId(), Leader: r.GetLeader(),
			Learner: r.GetIsLearner(), Applied: applied, Version: version, Errors: r.GetErrors(),
		}
		storage, _ := states.ParseVersion(r.GetStorageVersion()) // not known beside an error: it is empty before 3.6, and in young data of 3.5
		status.Storage = storage.MinorOf()
		if d := r.GetDowngradeInfo(); d.GetEnabled() {
			target, err := states.ParseVersion(d.GetTargetVersion())
			if err != nil {
				return err
			}
			status.Downgrade = target.MinorOf()
		}
		return nil
	})
	return status, err
}

// Members reads the member list through quorum. Servers before 3.5 cannot do that and answer what they know.
func (e *Etcd) Members(ctx context.Context, endpoints []string) (effects.EtcdMembers, error) {
	var list effects.EtcdMembers
	err := e.read(ctx, endpoints, func(ctx context.Context, s *server) error {
		r, err := s.MemberList(ctx)
		if err != nil {
			return err
		}
		list.ClusterID, list.By, list.Members = r.Header.GetClusterId(), r.Header.GetMemberId(), make([]states.Member, len(r.Members))
		for i, m := range r.Members {
			list.Members[i] = member(m)
		}
		slices.SortFunc(list.Members, func(a, b states.Member) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
		return nil
	})
	return list, err
}

func member(m *pb.Member) states.Member {
	out := states.Member{ID: m.GetID(), Name: m.GetName(), Learner: m.GetIsLearner()}
	if urls := m.GetPeerURLs(); len(urls) > 0 {
		if u, err := url.Parse(urls[0]); err == nil {
			out.Address = u.Hostname()
		}
	}
	if urls := m.GetClientURLs(); len(urls) > 0 {
		out.ClientURL = urls[0]
	}
	return out
}

// AddMember adds a member. Servers before 3.4 do not know learners and add a voter instead, in silence.
func (e *Etcd) AddMember(ctx context.Context, endpoints []string, peerURL string, learner bool) (uint64, error) {
	var id uint64
	err := e.change(ctx, endpoints, reached, func(ctx context.Context, s *server) error {
		add := s.MemberAdd
		if learner {
			add = s.MemberAddAsLearner
		}
		r, err := add(ctx, []string{peerURL})
		if err == nil {
			id = r.Member.GetID()
		}
		return err
	})
	return id, err
}

// RemoveMember removes a member.
func (e *Etcd) RemoveMember(ctx context.Context, endpoints []string, id uint64) error {
	return e.change(ctx, endpoints, reached, func(ctx context.Context, s *server) error {
		_, err := s.MemberRemove(ctx, id)
		return err
	})
}

// PromoteMember makes a learner a voter.
func (e *Etcd) PromoteMember(ctx context.Context, endpoints []string, id uint64) error {
	return e.change(ctx, endpoints, reached, func(ctx context.Context, s *server) error {
		_, err := s.MemberPromote(ctx, id)
		return err
	})
}

// MoveLeader makes the leader at an endpoint hand over to another voter.
func (e *Etcd) MoveLeader(ctx context.Context, leaderEndpoint string, to uint64) error {
	return e.change(ctx, []string{leaderEndpoint}, reached, func(ctx context.Context, s *server) error {
		_, err := s.MoveLeader(ctx, to)
		return err
	})
}
