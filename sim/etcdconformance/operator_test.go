package etcdconformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// realOperator works with the official client, as etcdctl does.
type realOperator struct {
	t testing.TB
	*clientv3.Client
}

const rootPassword = "secret"

func (r *real) operator(n int) operator {
	config := clientv3.Config{Endpoints: []string{"http://" + r.address(n) + ":2379"}, Logger: zap.NewNop()}
	client, err := clientv3.New(config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { client.Close() })
	return realOperator{r.t, client}
}

func (o realOperator) context() context.Context {
	ctx, cancel := context.WithTimeout(o.t.Context(), 10*time.Second)
	o.t.Cleanup(cancel)
	return ctx
}

func (o realOperator) alarm(action pb.AlarmRequest_AlarmAction, kind string, member uint64) error {
	_, err := pb.NewMaintenanceClient(o.ActiveConnection()).Alarm(o.context(), &pb.AlarmRequest{
		Action: action, MemberID: member, Alarm: pb.AlarmType(pb.AlarmType_value[kind]),
	})
	return err
}

func (o realOperator) raise(kind string, member uint64) error {
	return o.alarm(pb.AlarmRequest_ACTIVATE, kind, member)
}

func (o realOperator) disarm(kind string, member uint64) error {
	return o.alarm(pb.AlarmRequest_DEACTIVATE, kind, member)
}

func (o realOperator) protect(on bool) error {
	ctx := o.context()
	if !on {
		known, err := clientv3.New(clientv3.Config{Endpoints: o.Endpoints(), Username: "root", Password: rootPassword, Logger: zap.NewNop()})
		if err != nil {
			return err
		}
		defer known.Close()
		_, err = known.AuthDisable(ctx)
		return err
	}
	_, user := o.UserAdd(ctx, "root", rootPassword)
	_, role := o.UserGrantRole(ctx, "root", "root")
	_, err := o.AuthEnable(ctx)
	return errors.Join(user, role, err)
}

func (o realOperator) downgrade(target states.MinorVersion) error {
	_, err := o.Downgrade(o.context(), clientv3.DowngradeEnable, target.String())
	return err
}

func (o realOperator) write(n int) error {
	for range n {
		if _, err := o.Put(o.context(), "key", "value"); err != nil {
			return err
		}
	}
	return nil
}

// fakeOperator does the same to the fake.
type fakeOperator struct {
	*fake
	n int
}

func (f *fake) operator(n int) operator { return fakeOperator{f, n} }

func (o fakeOperator) cluster() *etcdfake.Cluster {
	id, _ := o.node(o.n).MemberID()
	for _, c := range o.world.Clusters() {
		if c.ID() == id {
			return c
		}
	}
	return nil
}

func (o fakeOperator) raise(kind string, member uint64) error {
	o.cluster().Raise(etcdfake.Alarm(kind), member)
	return nil
}

func (o fakeOperator) disarm(kind string, _ uint64) error {
	o.cluster().Disarm(etcdfake.Alarm(kind))
	return nil
}

func (o fakeOperator) protect(on bool) error {
	o.cluster().Protect(on)
	return nil
}

func (o fakeOperator) downgrade(target states.MinorVersion) error {
	if !o.cluster().Downgrade(target) {
		return errors.New("invalid downgrade target version")
	}
	return nil
}

func (o fakeOperator) write(n int) error {
	for range n {
		if err := o.world.Write(o.address(o.n)); err != nil {
			return err
		}
	}
	return nil
}

// orders notes what became of an order of the operator.
func (s *script) orders(what string, err error) {
	text := "ok"
	if err != nil {
		text = "refused"
	}
	s.note("%s: %s", what, text)
}

// errors notes what a server tells of itself.
func (s *script) errors(n int) {
	_ = s.lists(n) // a read through quorum waits until it has applied what the others have
	st, err := s.etcd.Status(s.context(), s.url(n))
	var alarms []string
	for _, text := range st.Errors {
		if _, kind, found := strings.Cut(text, "alarm:"); found {
			text = strings.TrimSpace(kind)
		}
		alarms = append(alarms, text)
	}
	s.note("errors %d: %s", n, strings.Join(append([]string{outcome(err)}, alarms...), " "))
}
