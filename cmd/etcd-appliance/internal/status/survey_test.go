package status

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// agents serve boards on loopback addresses, all on one port, as daemons do. It skips the test where there is but one address.
func agents(t *testing.T, boards map[string]*Board) (port string) {
	t.Helper()
	port = "0"
	for _, address := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
		b := boards[address]
		if b == nil {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(address, port))
		if err != nil {
			t.Skipf("SKIPPED: no second agent can listen: %v", err)
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		server := &httptest.Server{Listener: l, Config: &http.Server{Handler: b.Handler()}}
		server.Start()
		t.Cleanup(server.Close)
	}
	return port
}

// at puts the three instances on loopback.
func at(o *states.Observation) *states.Observation {
	move := func(address string) string { return strings.Replace(address, "10.", "127.", 1) }
	o.Self.Address = move(o.Self.Address)
	for i := range o.Group.Instances {
		o.Group.Instances[i].Address = move(o.Group.Instances[i].Address)
	}
	for i := range o.Cluster.Members {
		o.Cluster.Members[i].Address = move(o.Cluster.Members[i].Address)
	}
	if len(o.DNS.Records) > 0 {
		for i, v := range o.DNS.Records[0].Values {
			o.DNS.Records[0].Values[i] = move(v)
		}
	}
	return o
}

func boardOf(o *states.Observation, d *states.Decision) *Board {
	b := newBoard()
	b.turn(o, d)
	return b
}

var errSilent = errors.New("nobody is there")

// silent are servers of which none answers.
func silent(context.Context, string) (effects.EtcdStatus, error) {
	return effects.EtcdStatus{}, errSilent
}

// answering are servers of which each knows a leader.
func answering(_ context.Context, url string) (effects.EtcdStatus, error) {
	id := uint64(0xa0) + uint64(strings.TrimSuffix(url, ":2379")[len("http://10.0.0.")]-'0')
	return effects.EtcdStatus{MemberID: id, Leader: 0xa1, Applied: 77, Version: states.Version{Major: 3, Minor: 7, Patch: 2}}, nil
}

// lostAfterLeading has i-b without a quorum since the end of i-c. It led before, and all were well when it asked them last.
func lostAfterLeading(o *states.Observation) {
	o.Cluster.Known, o.Cluster.Lost, o.Cluster.Asked, o.Cluster.Local.Leader = states.No, noon, noon.Add(-time.Minute), 0
	for i := range o.Cluster.Members {
		o.Cluster.Members[i].Health, o.Cluster.Members[i].Applied = states.Yes, uint64(100+i)
	}
	o.Group.Instances[2].State, o.Group.Instances[2].InGroup = states.InstanceGone, false
}

var keepsHouse = &states.Decision{From: states.LeadingHousekeeping, To: states.LeadingHousekeeping, Why: "leads a cluster in order"}

// TestSurvey is told by the follower i-b. Two agents of three answer, or only its own.
func TestSurvey(t *testing.T) {
	for what, c := range map[string]struct {
		leader, follower func(*states.Observation) // nil leader: it does not answer
		ask              func(context.Context, string) (effects.EtcdStatus, error)
		health           string // of i-a, i-b, i-c
		problems         []string
	}{
		"two agents, all well":  {func(*states.Observation) {}, func(*states.Observation) {}, silent, "yes yes yes", nil},
		"one agent, all answer": {nil, func(*states.Observation) {}, answering, "yes yes yes", nil},
		"one agent, and nobody else": {nil, func(*states.Observation) {}, silent, "no yes no", []string{
			"member i-a is not healthy", "member i-c is not healthy",
		}},
		"the leader knows of one that is ill": {
			func(o *states.Observation) {
				o.Cluster.Members[2].Health, o.Cluster.Members[2].Unhealthy = states.No, noon
			},
			func(*states.Observation) {}, answering, "yes yes no", []string{"member i-c is not healthy"},
		},
		"it is ill itself": {func(o *states.Observation) {
			o.Cluster.Members[1].Health, o.Cluster.Members[1].Unhealthy = states.No, noon
		}, func(o *states.Observation) {
			o.Process.Running, o.Process.Detail = states.No, "killed"
		}, silent, "yes no yes", []string{"i-b is not ready: etcd does not run: killed"}},
		"DNS is wrong, and an upgrade is halted": {
			func(o *states.Observation) { o.DNS.Records[0].Values = []string{"127.0.0.9"} },
			func(o *states.Observation) { o.Cluster.Upgrade.Halted = states.UpgradeLock{Owner: "i-c", Why: "panic"} }, silent, "yes yes yes",
			[]string{"an upgrade is halted: panic", "DNS is wrong: 1 record sets are to be changed"},
		},
		"no quorum, and nobody answers": {nil, lostAfterLeading, silent, "no no no", []string{
			"i-b is not ready: its member knows no leader", "member i-a is not healthy", "the instance of member i-c has ended",
		}},
		"no quorum here": {nil, lostAfterLeading, answering, "yes no no", []string{
			"i-b is not ready: its member knows no leader", "the instance of member i-c has ended",
		}},
		"two clusters": {func(o *states.Observation) { o.Cluster.ID = 0xff }, func(*states.Observation) {}, answering, "yes yes yes", []string{
			"i-a is in another cluster, ff instead of c1",
		}},
		"an instance that is no member": {func(*states.Observation) {}, func(o *states.Observation) { o.Group.Desired = 4 }, silent, "yes yes yes", []string{
			"the cluster has 3 voters, and the group wants 4 instances",
		}},
	} {
		t.Run(what, func(t *testing.T) {
			follower := at(following())
			c.follower(follower)
			boards := map[string]*Board{"127.0.0.2": boardOf(follower, follows)}
			if c.leader != nil {
				leader := at(leading())
				c.leader(leader)
				boards["127.0.0.1"] = boardOf(leader, keepsHouse)
			}
			port := agents(t, boards)
			s := &Surveyor{Client: http.DefaultClient, Ask: c.ask, Limit: 2 * time.Second}
			v, err := s.Survey(t.Context(), net.JoinHostPort("127.0.0.2", port))
			if err != nil {
				t.Fatal(err)
			}
			var health []string
			for _, r := range v.Members {
				health = append(health, r.Health)
			}
			if got := strings.Join(health, " "); got != c.health {
				t.Errorf("health %s, want %s", got, c.health)
			}
			if !slices.Equal(v.Problems, c.problems) && len(v.Problems)+len(c.problems) > 0 || v.Healthy != (len(c.problems) == 0) {
				t.Errorf("healthy %t, problems %q, want %q", v.Healthy, v.Problems, c.problems)
			}
			answer := 0
			for _, a := range v.Others {
				if a.Status != nil {
					answer++
				}
			}
			if want := len(boards) - 1; answer != want || len(v.Others) != 2 {
				t.Errorf("%d of %d others answer, want %d", answer, len(v.Others), want)
			}
		})
	}
}

func TestSurveyWithoutADaemon(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody is there
	if v, err := (&Surveyor{Client: http.DefaultClient, Limit: time.Second}).Survey(t.Context(), l.Addr().String()); err == nil {
		t.Errorf("%+v", v)
	}
}

// TestGoldenScreen is what a human sees.
func TestGoldenScreen(t *testing.T) {
	all := map[string]*Survey{}
	well := &Survey{Here: board().Status(board().Latest()), Others: []Agent{{Instance: "i-b", Address: "10.0.0.2", Error: "refused"}}}
	well.merge()
	well.Here.Reports = nil
	well.judge()
	all["well.txt"] = well
	o := following()
	o.Process.Running, o.Process.Detail = states.No, "exit status 1: \x1b[2Jpanic"
	o.Cluster.Upgrade.Lock = states.UpgradeLock{Owner: "i-c", From: states.MinorVersion{Major: 3, Minor: 6}, To: states.MinorVersion{Major: 3, Minor: 7}}
	o.Cluster.Members[2].ClientURL, o.Cluster.Members[2].Name = "", ""
	b := boardOf(o, follows)
	ill := &Survey{Here: b.Status(b.Latest())}
	ill.merge()
	ill.judge()
	all["ill.txt"] = ill
	o = following()
	lostAfterLeading(o)
	b = boardOf(o, follows)
	lost := &Survey{Here: b.Status(b.Latest())}
	lost.merge()
	lost.judge()
	all["lost.txt"] = lost
	for name, v := range all {
		text := v.Screen(noon.Add(90 * time.Second))
		if strings.Contains(text, "\x1b") {
			t.Errorf("%s: a stranger moves the cursor", name)
		}
		golden(t, name, text)
	}
}

func TestGoldenFilesAreRead(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil || len(files) != 6 {
		t.Errorf("%d golden files, want 6: %v", len(files), err)
	}
}
