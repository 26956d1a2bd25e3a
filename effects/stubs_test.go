package effects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// stubEtcd is a cluster of few words: a list, who answers, and what each change says.
type stubEtcd struct {
	list      EtcdMembers
	listErr   error
	status    map[string]EtcdStatus // by client URL; who is not in it does not answer
	failing   map[string]error      // of a status, by client URL
	lock      EtcdLock
	keys      []EtcdKey
	keysErr   error
	reads     int    // of keys, of one server
	stalled   string // client URL of a server that answers for itself, and reads nothing through quorum
	err       error  // of every change
	calls     []string
	endpoints []string // of the last call
	asked     []string // who was asked for its status
	kept      []string // what the last call of Forget has left
}

func (s *stubEtcd) note(endpoints []string, format string, args ...any) {
	s.calls, s.endpoints = append(s.calls, fmt.Sprintf(format, args...)), endpoints
}

func (s *stubEtcd) Status(_ context.Context, endpoint string) (EtcdStatus, error) {
	s.asked = append(s.asked, endpoint)
	if err := s.failing[endpoint]; err != nil {
		return EtcdStatus{}, err
	}
	answer, ok := s.status[endpoint]
	if !ok {
		return EtcdStatus{}, ErrRefused
	}
	return answer, nil
}

func (s *stubEtcd) Members(_ context.Context, endpoints []string) (EtcdMembers, error) {
	s.note(endpoints, "members")
	if s.listErr != nil {
		return EtcdMembers{}, s.listErr
	}
	return s.list, nil
}

func (s *stubEtcd) AddMember(_ context.Context, endpoints []string, peerURL string, learner bool) (uint64, error) {
	s.note(endpoints, "add %s %v", peerURL, learner)
	return 0xd4, s.err
}

func (s *stubEtcd) RemoveMember(_ context.Context, endpoints []string, id uint64) error {
	s.note(endpoints, "remove %x", id)
	return s.err
}

func (s *stubEtcd) PromoteMember(_ context.Context, endpoints []string, id uint64) error {
	s.note(endpoints, "promote %x", id)
	return s.err
}

func (s *stubEtcd) MoveLeader(_ context.Context, endpoint string, to uint64) error {
	s.note([]string{endpoint}, "move to %x", to)
	return s.err
}

func (s *stubEtcd) HoldLock(_ context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (EtcdLock, error) {
	s.note(endpoints, "hold %s %s without %v", key, ttl, absent)
	if s.err != nil {
		return EtcdLock{}, s.err
	}
	if s.lock.Owner == "" {
		s.lock.Owner = owner
	}
	return s.lock, nil
}

func (s *stubEtcd) Keys(_ context.Context, endpoints []string, _ string) ([]EtcdKey, error) {
	if len(endpoints) == 1 {
		s.reads++
		if endpoints[0] == s.stalled {
			return nil, context.DeadlineExceeded
		}
	}
	return s.keys, cmp.Or(s.listErr, s.keysErr)
}

func (s *stubEtcd) Swap(_ context.Context, endpoints []string, key EtcdKey, absent ...string) (int64, error) {
	s.note(endpoints, "swap %s at %d to %q without %v", key.Key, key.Revision, key.Value, absent)
	return 9, s.err
}

func (s *stubEtcd) Advance(_ context.Context, endpoint string, n int) error {
	s.note([]string{endpoint}, "advance by %d", n)
	return s.err
}

func (s *stubEtcd) ReleaseLock(_ context.Context, endpoints []string, key, owner string) error {
	s.note(endpoints, "release %s %s", key, owner)
	return s.err
}

func (s *stubEtcd) Forget(keep []string) { s.kept = slices.Clone(keep) }

// member gives a started voter that answers.
func (s *stubEtcd) member(id uint64, name, address string) {
	url := "http://" + address + ":2379"
	s.list.ClusterID = 7
	s.list.Members = append(s.list.Members, states.Member{ID: id, Name: name, Address: address, ClientURL: url})
	s.status[url] = EtcdStatus{ClusterID: 7, MemberID: id, Leader: 0xa1, Version: states.Version{Major: 3, Minor: 7}, Applied: id}
}

// stubPeers answers by address; who is not in it is silent.
type stubPeers map[string]error

// version is the cluster version that a peer tells, by address.
var version = map[string]states.MinorVersion{}

func (s stubPeers) Ask(_ context.Context, address string) (PeerAnswer, error) {
	err, ok := s[address]
	if !ok {
		return PeerAnswer{}, errors.New("i/o timeout")
	}
	return PeerAnswer{ClusterID: 7, ClusterVersion: version[address], Members: []states.Member{{ID: 1, ClientURL: "http://" + address + ":2379"}}}, err
}

// askedPeers notes who is asked.
type askedPeers struct {
	stubPeers
	asked []string
}

func (s *askedPeers) Ask(ctx context.Context, address string) (PeerAnswer, error) {
	s.asked = append(s.asked, address)
	return s.stubPeers.Ask(ctx, address)
}

type stubProcess struct {
	state  states.Process
	starts []states.StartEtcd
	stops  int
	err    error
}

func (s *stubProcess) Inspect() states.Process { return s.state }

func (s *stubProcess) Start(c states.StartEtcd) error {
	s.starts = append(s.starts, c)
	return s.err
}

func (s *stubProcess) Stop() error {
	s.stops++
	return s.err
}

type stubDisk struct {
	state   states.Disk
	changes []string
	err     error
}

func (s *stubDisk) Inspect() states.Disk { return s.state }

func (s *stubDisk) note(change string) error {
	s.changes = append(s.changes, change)
	return s.err
}

func (s *stubDisk) SetAside(why string) error { return s.note("aside: " + why) }
func (s *stubDisk) ForgetSetAside() error     { return s.note("forget") }
func (s *stubDisk) RecordStart(start states.StartEtcd) error {
	return s.note("start " + start.Minor.String())
}
func (s *stubDisk) RecordJoined() error { return s.note("joined") }

func readCloser(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
