package status

import (
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// gauges tells the last turn to Prometheus. What is not known is left out: a series that ends is not the same as a zero.
type gauges struct{ board *Board }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

var (
	buildInfo = gauge("build_info", "The daemon: always 1.", "version", "goversion")
	inState   = gauge("state", "1 for the state that the daemon is in, 0 for the others.", "state")
	entered   = gauge("state_entered_timestamp_seconds", "When the daemon came into its state.")
	lastTurn  = gauge("last_turn_timestamp_seconds", "When the last turn of the decision loop ended.")
	reports   = gauge("reports", "How many things the daemon reports that an operator should know.")
	busy      = gauge("commands_in_flight", "Commands that are under way.")

	ready     = gauge("ready", "1 if the member of this instance is a healthy voter that has caught up.")
	unhealthy = gauge("unhealthy_seconds", "How long the member of this instance has not been ready, or the daemon has not looked; 0 while it is.")
	leads     = gauge("leader", "1 if the member of this instance leads the cluster.")
	exits     = gauge("etcd_exits", "How often etcd has ended in a row here, none of them after a minute of running.")
	versions  = gauge("etcd_info", "The versions of etcd that run here and that are wanted: always 1.", "version", "wanted")
	changing  = gauge("etcd_change_wanted", "1 if this instance is to run another etcd than it does.")

	clusterID   = gauge("cluster_info", "The cluster that the member of this instance is in: always 1.", "cluster_id")
	quorum      = gauge("quorum", "1 if a quorum answers this instance.")
	members     = gauge("members", "Members of the cluster.", "role")
	healthy     = gauge("members_healthy", "Voters that are healthy; known to the leader.")
	lag         = gauge("member_lag_entries", "Raft entries that a member has applied less than the one that has applied most; known to the leader.", "instance_id", "member_id")
	desired     = gauge("group_desired_instances", "Desired capacity of the auto-scaling group.")
	silentIn    = gauge("group_silent_regions", "Regions of the cluster in which AWS did not answer the last question.")
	inGroup     = gauge("group_instances", "Instances in the auto-scaling group that are not on their way out.")
	drift       = gauge("dns_drift", "1 if the hosted zone holds something else than it should; known to the leader.")
	locked      = gauge("upgrade_lock_held", "1 if some instance holds the upgrade lock.")
	lockedHere  = gauge("upgrade_lock_held_here", "1 if this instance holds the upgrade lock.")
	lockedSince = gauge("upgrade_lock_changed_timestamp_seconds", "Since when this instance sees the upgrade lock as it is.")
	halted      = gauge("upgrade_halted", "1 if an upgrade has failed and is halted.")

	expiration = gauge("certificate_expiration_timestamp_seconds", "Until when the certificate of a file is valid; of several in it, the one that ends first.", "setting", "file")
)

// Describe is that of a prometheus.Collector.
func (g gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		buildInfo, inState, entered, lastTurn, reports, busy, ready, unhealthy, leads, exits, versions, changing,
		clusterID, quorum, members, healthy, lag, desired, silentIn, inGroup, drift, locked, lockedHere, lockedSince, halted, expiration,
	} {
		to <- d
	}
}

// Collect is that of a prometheus.Collector.
func (g gauges) Collect(to chan<- prometheus.Metric) {
	set := setter(to)
	set.value(buildInfo, 1, g.board.Version, runtime.Version())
	for _, c := range firstOfEach(g.board.certified()) {
		set.value(expiration, seconds(c.NotAfter), c.Setting, c.File)
	}
	s := g.board.Latest()
	if s == nil {
		return
	}
	now := g.board.Now()
	for _, state := range states.States() {
		set.truth(inState, s.Decision.To == state, string(state))
	}
	set.value(entered, seconds(s.Since))
	set.value(lastTurn, seconds(s.Ended))
	set.value(reports, float64(len(s.Decision.Reports)))
	set.value(busy, float64(len(s.Busy)))
	set.own(s, now)
	set.cluster(s)
	if known, _ := s.Facts.Drift(&g.board.Rules); known != states.Unknown {
		set.truth(drift, known == states.Yes)
	}
}

// setter sends what it is given.
type setter chan<- prometheus.Metric

func (to setter) value(d *prometheus.Desc, v float64, labels ...string) {
	for i := range labels { // a member's name is whatever its supervisor made of it
		labels[i] = strings.ToValidUTF8(labels[i], "?")
	}
	to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (to setter) truth(d *prometheus.Desc, is bool, labels ...string) {
	v := 0.0
	if is {
		v = 1
	}
	to.value(d, v, labels...)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (to setter) own(s *Snapshot, now time.Time) {
	f := &s.Facts
	is, _ := s.Ready()
	alive, _ := s.Alive(now)
	is = is && alive
	to.truth(ready, is)
	to.value(unhealthy, s.unhealthy(is, now).Seconds())
	to.truth(leads, f.Cluster.Local.Serves() && f.Cluster.Local.Leader == f.Cluster.Local.MemberID)
	to.value(exits, float64(f.Process.Exits))
	to.value(versions, 1, s.running(), s.wanted())
	to.truth(changing, f.Changing())
}

// unhealthy is for how long the member has not been ready: since the daemon started, if it never was.
func (s *Snapshot) unhealthy(ready bool, now time.Time) time.Duration {
	switch {
	case ready:
		return 0
	case s.Healthy.IsZero():
		return now.Sub(s.Started)
	default:
		return now.Sub(s.Healthy)
	}
}

func (to setter) cluster(s *Snapshot) {
	f, c := &s.Facts, &s.Facts.Cluster
	if c.Known != states.Unknown {
		to.truth(quorum, c.Known == states.Yes)
	}
	if c.ID != 0 {
		to.value(clusterID, 1, hex(c.ID))
	}
	if c.Known == states.Yes {
		to.members(s)
	}
	if f.Group.Known == states.Yes {
		to.value(desired, float64(f.Group.Desired))
		to.value(silentIn, float64(len(f.Group.Silent)))
		n := 0
		for i := range f.Group.Instances {
			if f.Group.Instances[i].InGroup {
				n++
			}
		}
		to.value(inGroup, float64(n))
	}
	if u := &c.Upgrade; u.Known == states.Yes {
		to.truth(locked, u.Lock.Owner != "")
		to.truth(lockedHere, u.Lock.Owner != "" && u.Lock.Owner == f.Self.ID)
		to.value(lockedSince, seconds(u.Since))
		to.truth(halted, u.Halted.Owner != "")
	}
}

func (to setter) members(s *Snapshot) {
	list := s.members().List
	voters, learners, well, asked := 0, 0, 0, true
	for i := range list {
		switch m := &list[i]; {
		case m.Role == Learner:
			learners++
		default:
			voters++
			asked = asked && m.Health != states.Unknown.String()
			if m.Health == states.Yes.String() {
				well++
			}
		}
	}
	to.value(members, float64(voters), "voter")
	to.value(members, float64(learners), "learner")
	if asked {
		to.value(healthy, float64(well))
	}
	for i := range list {
		if m := &list[i]; m.Lag != nil && asked {
			to.value(lag, float64(*m.Lag), m.Instance, m.ID)
		}
	}
}
