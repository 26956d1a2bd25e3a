package effects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// listRest is how old the member list may grow while nothing asks for more than the local server's health.
const listRest = 10 * time.Second

// listsThroughQuorum is the first minor whose list of members is read through quorum. A server before it tells what it knows by
// itself, however old that is (3.4 api/v3rpc/member.go): only the keys tell whether a quorum is there.
var listsThroughQuorum = states.MinorVersion{Major: 3, Minor: 5}

// askCluster asks the local server how it is and, when the rules want more, the cluster for its members and each of them for
// its health.
func (e *Effects) askCluster() question {
	at, wide, next, endpoints := e.Now(), e.wide, e.facts.Cluster, slices.Clone(e.endpoints)
	upgrades := e.facts.Changing() // who waits for the upgrade lock wants to see it free
	listDue := wide || upgrades || next.Known != states.Yes || at.Sub(next.At) >= listRest || !e.lanes[states.LaneCluster].done.Before(next.At)
	if !upgrades {
		next.Settled = 0 // the version is not asked for, and may go down and up again unseen
	}
	own, pid, works := "", e.facts.Process.PID, e.works
	if e.facts.Process.Running == states.Yes {
		own = e.clientURL(e.facts.Self.Address)
	}
	if works.pid != pid {
		works = worked{pid: pid}
	}
	ask := e.askOwn(own, at, upgrades, next.Local)
	return func(ctx context.Context) (func(), error) {
		deliver := func() { e.works = works; e.setCluster(next, pid) }
		var level states.MinorVersion
		var trouble error // with TLS, or a disk, which does not pass by itself: the log is to tell it
		if own != "" {
			next.Local, level, trouble = ask(ctx, &works)
		}
		serves := next.Local.Serves()
		if serves && !listDue {
			return deliver, nil
		}
		asked := order(endpoints, own, serves)
		if len(asked) == 0 || asked[0] == own && next.Local.Answers != states.Yes {
			return deliver, trouble // nobody to ask is no answer: it stays as unknown as it was
		}
		list, err := e.Etcd.Members(ctx, asked)
		if err != nil {
			next.Known, next.At, next.Lost = states.No, at, cmp.Or(next.Lost, at)
			return deliver, fmt.Errorf("read the member list: %w", err)
		}
		if next.ID != list.ClusterID || next.Version != level {
			next.Settled = 0
		}
		next.At, next.By, next.ID, next.Members = at, list.By, list.ClusterID, slices.Clone(list.Members)
		var unread error
		next.Upgrade, unread = e.askUpgrade(ctx, asked, at, next.Upgrade)
		if v := next.Local.Version; unread != nil && v.Known() && v.MinorOf().Less(listsThroughQuorum) {
			next.Known, next.Lost = states.No, cmp.Or(next.Lost, at)
		} else {
			next.Known, next.Lost = states.Yes, time.Time{}
		}
		switch {
		case !upgrades:
		case level.Known():
			next.Version, next.Settled = level, cmp.Or(next.Settled, next.Local.Applied)
		default:
			next.Version = e.askVersion(ctx, peersOf(next.Members)...)
		}
		if wide {
			trouble = errors.Join(trouble, e.askHealth(ctx, next.Members, next.Local))
			next.Asked = at
		} else if m, ok := next.Member(next.Local.MemberID); ok {
			m.Health = states.Is(serves)
		}
		return deliver, errors.Join(unread, trouble)
	}
}

// askOwn asks the own server how it is, and, where it is to be known while something changes, for the version of the cluster.
func (e *Effects) askOwn(own string, at time.Time, upgrades bool, before states.Local) func(context.Context, *worked) (states.Local, states.MinorVersion, error) {
	self, joining := e.facts.Self.Address, e.joining
	return func(ctx context.Context, works *worked) (states.Local, states.MinorVersion, error) {
		level, restored := states.MinorVersion{}, time.Time{}
		// Before its status: what it has applied by then reaches behind the entry that set the version. One that begins would keep
		// silent on its peer port too.
		if upgrades && before.Answers == states.Yes {
			level = e.askVersion(ctx, self)
		}
		if joining && before.Answers != states.Yes {
			restored = e.askRestored(ctx, self, before.Restored)
		}
		local, trouble := e.askLocal(ctx, own, before.Answers == states.Yes)
		switch {
		case local.Answers != states.Yes:
			local.Restored = restored
		case local.Serves():
			if trouble = e.askOwnWork(ctx, own, at, works); works.fails {
				local.Leader = 0 // a leader that it does nothing with, and that it may take itself for
			}
		}
		return local, level, trouble
	}
}

func peersOf(members []states.Member) []string {
	addresses := make([]string, len(members))
	for i := range members {
		addresses[i] = members[i].Address
	}
	return addresses
}

// askVersion asks for the version of the cluster, one server after the other.
func (e *Effects) askVersion(ctx context.Context, addresses ...string) states.MinorVersion {
	for _, address := range addresses {
		if answer, err := e.Peers.Ask(ctx, address); err == nil && answer.ClusterVersion.Known() {
			return answer.ClusterVersion
		}
	}
	return states.MinorVersion{}
}

// setCluster takes the answers. What the server with that process ID has said says nothing about one that was started since: it may be
// of a member that is gone, and its word that it is a voter would be written down beside the data of a learner.
func (e *Effects) setCluster(c states.Cluster, pid int) {
	if p := e.facts.Process; p.Running != states.Yes || p.PID != pid {
		c.Local = states.Local{}
	}
	e.markUnhealthy(c.Members)
	e.group.stale = e.group.stale || !sameMembers(e.facts.Cluster.Members, c.Members)
	e.facts.Cluster = c
	if c.Known == states.Yes {
		e.endpoints = e.endpoints[:0]
		e.addEndpoints(c.Members)
		e.Etcd.Forget(e.endpoints)
	}
}

// sameMembers tells whether two lists stand for the same instances. Where they do not, AWS is worth asking about the new ones
// before anything is published of them.
func sameMembers(a, b []states.Member) bool {
	return slices.EqualFunc(a, b, func(a, b states.Member) bool { return a.ID == b.ID && a.Name == b.Name })
}

// markUnhealthy keeps since when each member has been unhealthy.
func (e *Effects) markUnhealthy(members []states.Member) {
	now := e.Now()
	for i := range members {
		switch m := &members[i]; m.Health {
		case states.Unknown: // a look that was not wide ends no bad time
		case states.Yes:
			delete(e.unhealthy, m.ID)
		case states.No:
			since, ok := e.unhealthy[m.ID]
			if !ok {
				since = now
				e.unhealthy[m.ID] = now
			}
			m.Unhealthy = since
		}
	}
}

// startPatience is how long a server that has not answered yet is waited for. Until a member is ready its client port accepts
// connections and says nothing (etcd server/embed), and a longer wait would only delay the next look.
const startPatience = 250 * time.Millisecond

func (e *Effects) askLocal(ctx context.Context, endpoint string, answered bool) (states.Local, error) {
	if !answered {
		bounded, cancel := e.Within(ctx, startPatience)
		defer cancel()
		ctx = bounded
	}
	s, err := e.Etcd.Status(ctx, endpoint)
	if err != nil {
		return states.Local{Answers: states.No}, tlsTrouble(err)
	}
	return states.Local{
		Answers: states.Yes, MemberID: s.MemberID, ClusterID: s.ClusterID, Leader: s.Leader,
		Learner: s.Learner, Applied: s.Applied, Version: s.Version,
		Storage: s.Storage, Downgrade: s.Downgrade, Alarm: Alarm(s.Errors),
	}, nil
}

// tlsTrouble is the error if it is one of TLS. A decision needs to know only that a server does not answer, and servers that begin or
// end do not: this is what a human has to mend.
func tlsTrouble(err error) error {
	if errors.Is(err, ErrTLS) {
		return err
	}
	return nil
}

// Alarm picks an alarm out of what a server says is wrong with it: the text of an alarm has its kind in it
// (v3rpc maintenance.go Status: "memberID:1 alarm:NOSPACE"), and that of a missing leader is no alarm.
func Alarm(wrong []string) string {
	for _, text := range wrong {
		if strings.Contains(text, "alarm:") {
			return text
		}
	}
	return ""
}

// askRestored asks our own peer port since when our server knows the cluster's version, which comes with the cluster's data.
func (e *Effects) askRestored(ctx context.Context, self string, before time.Time) time.Time {
	switch {
	case !e.askVersion(ctx, self).Known():
		return time.Time{}
	case before.IsZero():
		return e.Now()
	default:
		return before
	}
}

// SignOfLife is the key that is read for no more than the answer: any would do.
const SignOfLife = JoinLockKey

// workWithin is how long a server may take to answer a read through quorum, as any other question to one server.
const workWithin = time.Second

// askHealth asks every member how it is, but for our own where local has its word already (a member's ID is never 0). A member that
// has never started has nothing to answer with, and is unhealthy. So is one that says that it is well and leaves a read through quorum
// without an answer, as the health check of etcd's own has it (/health, without serializable): a server whose disk has stalled hears its
// leader for ever, and a leader believes in itself, since etcd ticks and saves its log in one goroutine (seen of 3.7.3: Status as ever
// for half a minute, and no write). A learner refuses such reads. The error is for people.
func (e *Effects) askHealth(ctx context.Context, members []states.Member, local states.Local) error {
	failed := make([]error, len(members))
	e.Parallel(len(members), func(i int) {
		m := &members[i]
		if m.ID == local.MemberID {
			m.Health, m.Version, m.Applied, m.Alarm = states.Is(local.Leader != 0), local.Version, local.Applied, local.Alarm
			return
		}
		if failed[i] = e.askStatus(ctx, m); m.Health != states.Yes || m.Learner {
			return
		}
		if failed[i] = e.askWork(ctx, m.ClientURL); failed[i] != nil {
			m.Health = states.No
		}
	})
	return errors.Join(failed...)
}

func (e *Effects) askStatus(ctx context.Context, m *states.Member) error {
	m.Health = states.No
	if !m.Started() {
		return nil
	}
	s, err := e.Etcd.Status(ctx, m.ClientURL)
	if err == nil && s.MemberID == m.ID {
		m.Health, m.Version, m.Applied, m.Alarm = states.Is(s.Leader != 0), s.Version, s.Applied, Alarm(s.Errors)
	}
	return tlsTrouble(err)
}

// askWork has a server read through quorum. The error says that it does not answer.
func (e *Effects) askWork(ctx context.Context, endpoint string) error {
	ctx, cancel := e.Within(ctx, workWithin)
	defer cancel()
	if _, err := e.Etcd.Keys(ctx, []string{endpoint}, SignOfLife); silent(err) {
		return fmt.Errorf("%s hears a leader and does not answer a read: %w", endpoint, err)
	}
	return nil
}

// worked is what the own server was seen to do.
type worked struct {
	pid   int       // of which process
	at    time.Time // when it was last asked to read through quorum
	fails bool      // and did not answer
}

// ownWorkRest is how seldom the own server is asked to read through quorum, while it does.
const ownWorkRest = 5 * time.Second

// askOwnWork is askWork for the own server, which is looked at more often than it must be asked for work.
func (e *Effects) askOwnWork(ctx context.Context, own string, at time.Time, works *worked) error {
	if !works.fails && at.Sub(works.at) < ownWorkRest {
		return nil
	}
	err := e.askWork(ctx, own)
	works.at, works.fails = at, err != nil
	return err
}

// silent tells a server that does not answer from one that refuses, for want of a user or under an alarm.
func silent(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrRefused)
}

// order puts our own server first where it can answer, and last where it cannot.
func order(endpoints []string, own string, serves bool) []string {
	var list []string
	if serves {
		list = append(list, own)
	}
	for _, url := range endpoints {
		if url != own {
			list = append(list, url)
		}
	}
	if own != "" && !serves {
		list = append(list, own)
	}
	return list
}

func (e *Effects) clientURL(address string) string {
	return url(e.ClientTLS, address, e.ClientPort)
}

func (e *Effects) peerURL(address string) string {
	return url(e.PeerTLS, address, e.PeerPort)
}

func url(tls bool, address string, port int) string {
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(address, strconv.Itoa(port))
}

// askPeers asks the other instances of the group on their peer port, where etcd answers without quorum.
func (e *Effects) askPeers() question {
	at := e.Now()
	var found []states.Peer
	for i := range e.facts.Group.Instances {
		in := &e.facts.Group.Instances[i]
		if in.ID != e.facts.Self.ID && in.Up() {
			found = append(found, states.Peer{InstanceID: in.ID, Address: in.Address})
		}
	}
	return func(ctx context.Context) (func(), error) {
		failed := make([]error, len(found))
		e.Parallel(len(found), func(i int) { failed[i] = tlsTrouble(e.askPeer(ctx, &found[i])) })
		return func() {
			e.facts.Peers, e.facts.Polled = found, at
			for i := range found {
				e.addEndpoints(found[i].Members)
			}
		}, errors.Join(failed...)
	}
}

func (e *Effects) askPeer(ctx context.Context, p *states.Peer) error {
	answer, err := e.Peers.Ask(ctx, p.Address)
	switch {
	case err == nil:
		p.Answers, p.ClusterID, p.ClusterVersion, p.Members = states.Yes, answer.ClusterID, answer.ClusterVersion, answer.Members
	case errors.Is(err, ErrRefused):
		p.Answers = states.No
	}
	return err
}
