package effects

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Spawn runs work off the deciding goroutine with a deadline, and later runs what work returns on it. The daemon's Spawn
// starts a goroutine; the simulator's schedules an event.
type Spawn func(timeout time.Duration, work func(ctx context.Context) (deliver func()))

// Options are the outside things, and what is fixed for the life of a daemon.
type Options struct {
	IMDS        IMDS
	EC2         EC2
	AutoScaling AutoScaling
	Route53     Route53 // nil: no hosted zone is configured
	S3          S3      // nil: no bucket is configured
	Etcd        Etcd
	Peers       Peers
	Process     Process
	Disk        Disk

	Now   func() time.Time
	Spawn Spawn
	// Within bounds a part of a question more tightly than its source is; the simulator's calls take no time, and need none.
	Within func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	// Parallel calls f for 0 to n-1 and returns when all have ended; the simulator calls them one after the other.
	Parallel func(n int, f func(i int))
	Log      zerolog.Logger

	Regions       []Region // that the cluster spans, this one among them; none: this one
	Public        bool     // members meet at their public addresses
	SecurityGroup string   // ID of the one that lets peers in by address; empty: none, the network does already

	Group       string // auto-scaling group; empty: asked from Auto Scaling
	ClusterName string // empty: the group's name, as far as Named accepts it
	Named       func(groupName string) (string, error)
	HostedZone  string // name or ID
	Bucket      string
	ClientPort  int
	PeerPort    int
	ClientTLS   bool // etcd's clients are served over TLS
	PeerTLS     bool // and its peers are
	Wanted      states.MinorVersion
	Exact       states.Version // the very version that is wanted; unknown: whichever patch is installed
	Servers     []states.MinorVersion
	Patches     []states.Version // of those servers that tell
	TagEvery    time.Duration    // how often the group is asked for its tags at least; 0: not for them alone

	LaunchingHook, TerminatingHook string // lifecycle hooks of the group that this daemon completes; empty: none
}

// Effects observes and executes for one daemon. All its methods belong to the deciding goroutine.
type Effects struct {
	Options
	facts states.Observation

	self    source
	group   source
	zone    source
	peers   source
	cluster source
	ending  source
	warning source
	ingress source
	lanes   [states.Lanes]lane

	configured wish
	tagged     wish
	groupName  string
	region     string                     // this one; empty until the metadata tells
	abroad     []Region                   // the others
	home       *asgtypes.AutoScalingGroup // of this region, as it was last described
	regions    []regionSeen               // this one, then those abroad
	zoneID     string
	zoneGone   bool // the zone of that ID is not there any more: it is looked for again
	claimSeen  claimSeen
	unhealthy  map[uint64]time.Time
	identified bool     // the metadata has told who this instance is
	endpoints  []string // client URLs of members, last seen
	wide       bool
	works      worked // what our own server does
	joining    bool   // the server that runs was started on an empty disk, to join
	complaint  complaints
}

// New gives the effects layer of one daemon. It asks nothing yet.
func New(o Options) *Effects {
	e := &Effects{Options: o, groupName: o.Group, unhealthy: map[uint64]time.Time{}}
	e.facts.Wanted, e.facts.Exact, e.facts.Since, e.facts.Name = o.Wanted, o.Exact, o.Now(), o.ClusterName
	e.facts.Servers, e.facts.Patches, e.configured = o.Servers, o.Patches, wish{o.Wanted, o.Exact}
	e.facts.DNS.Configured, e.facts.Ingress.Configured = o.Route53 != nil, o.SecurityGroup != ""
	e.regions = make([]regionSeen, 1)
	switch {
	case o.S3 != nil:
		e.facts.Claim.Store = states.ClaimInS3
	case o.Route53 != nil:
		e.facts.Claim.Store = states.ClaimInRoute53
	}
	e.self = source{name: "instance metadata", timeout: 5 * time.Second, ask: e.askSelf}
	e.ending = source{name: "termination notice", timeout: 10 * time.Second, ask: e.askEnding}
	e.warning = source{name: "warnings of AWS", timeout: 10 * time.Second, ask: e.askWarning}
	e.group = source{name: "auto-scaling group", timeout: groupPatience, ask: e.askGroup, pause: time.Second}
	e.ingress = source{name: "security group", timeout: 10 * time.Second, ask: e.askIngress, pause: time.Second}
	e.zone = source{name: "hosted zone", timeout: 15 * time.Second, ask: e.askZone, pause: time.Second}
	e.peers = source{name: "peers", timeout: 3 * time.Second, ask: e.askPeers}
	e.cluster = source{name: "etcd", timeout: 4 * time.Second, ask: e.askCluster}
	return e
}

// Install changes what servers are installed. The slices must not be changed afterwards.
func (e *Effects) Install(servers []states.MinorVersion, patches []states.Version) {
	if !slices.Equal(e.facts.Servers, servers) || !slices.Equal(e.facts.Patches, patches) {
		e.facts.Servers, e.facts.Patches, e.facts.Since, e.facts.Spread = servers, patches, e.Now(), 0
	}
}

// RequestShutdown notes that the daemon was asked to stop.
func (e *Effects) RequestShutdown(reason string) {
	if e.facts.Ending.Shutdown == states.Yes {
		return
	}
	e.facts.Ending.Shutdown, e.facts.Ending.Reason, e.facts.Ending.Requested = states.Yes, reason, e.Now()
	e.ending.dirty = true
}

// Observe gives the latest facts. The process and the disk are looked at afresh; everything else is as last answered.
func (e *Effects) Observe() states.Observation {
	e.facts.Now = e.Now()
	process := e.Process.Inspect()
	another := process.PID != e.facts.Process.PID // started by someone else, who may have changed the disk before
	if process.Running != states.Yes || another || e.facts.Disk.State == states.DiskUnknown || !e.facts.Disk.Joined || e.facts.Disk.SetAside ||
		e.facts.Cluster.Upgrade.Lock.Owner == e.facts.Self.ID { // its snapshots count now
		e.facts.Disk = e.Disk.Inspect()
	}
	if (process.Running != states.Yes || another) && e.facts.Process.Running == states.Yes {
		e.facts.Cluster.Local = states.Local{} // what one server answered says nothing about another, nor about none
		e.cluster.dirty = true
	}
	e.facts.Process = process
	if e.facts.Self.ID == "" && e.facts.Disk.Own && e.facts.Disk.Address != "" {
		e.facts.Self = states.Self{ID: e.facts.Disk.Name, Address: e.facts.Disk.Address} // until the metadata answers
	}
	return e.facts
}

// Refresh asks the sources whose facts are older than wanted. Identity is asked until known and the termination notice every
// three seconds: both are answered by the instance's own metadata service, and cost nothing.
func (e *Effects) Refresh(needs states.Needs) {
	if !e.identified {
		e.refresh(&e.self, time.Second)
	}
	if e.facts.Self.ID == "" {
		return
	}
	e.refresh(&e.ending, 3*time.Second)
	e.refresh(&e.warning, warningPace)
	e.refresh(&e.group, cmp.Or(soonest(needs.Group, e.TagEvery), e.firstLook()))
	if e.facts.Name != "" && (e.Route53 != nil || e.S3 != nil) {
		e.refresh(&e.zone, needs.Zone)
	}
	if e.facts.Name != "" && e.SecurityGroup != "" { // its rules have the name on them
		e.refresh(&e.ingress, needs.Ingress)
	}
	e.refresh(&e.peers, needs.Peers)
	e.wide = needs.Wide
	e.refresh(&e.cluster, needs.Cluster)
}

// soonest is the shorter of two ages, of which zero is any.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// question runs off the deciding goroutine and must touch only what was copied for it before; what it returns runs on it.
type question func(ctx context.Context) (deliver func(), err error)

// source is something that is asked again and again, one question at a time.
type source struct {
	name    string
	timeout time.Duration
	pause   time.Duration // after a failure: doubled by each, up to maxPause
	ask     func() question

	busy     bool
	dirty    bool      // a command of ours has changed it: ask at once
	stale    bool      // another answer has changed what it should be asked: ask at once, if it is needed at all
	asked    time.Time // when the last question was begun
	answered time.Time // when the question was begun that was last answered, well or badly
	failures int
}

const maxPause = 30 * time.Second

func (e *Effects) refresh(s *source, maxAge time.Duration) {
	now := e.Now()
	if s.stale {
		maxAge = min(maxAge, 1) // at once; but who has failed rests all the same
	}
	due := now.Sub(s.asked) >= max(maxAge, pauseAfter(s.failures, s.pause, maxPause))
	if s.busy || !s.dirty && (maxAge == 0 || !due) {
		return
	}
	s.busy, s.dirty, s.stale, s.asked = true, false, false, now
	ask := s.ask()
	e.Spawn(s.timeout, func(ctx context.Context) func() {
		deliver, err := ask(ctx)
		return func() {
			s.busy, s.answered = false, now
			if deliver != nil {
				deliver()
			}
			if err != nil {
				s.failures++
			} else {
				s.failures = 0
			}
			e.complaint.note(e.Log, s.name, err)
		}
	})
}

// lane is a row of commands to one outside thing.
type lane struct {
	busy     bool
	batch    []states.Command // under way while it is busy
	done     time.Time        // when its last command ended
	failures int              // in a row
}

// lanePause is how long a lane rests after a failure, and lanePauseMax how long at most after many: each doubles it. etcd
// refuses membership changes for 5 s after any connection was made, and is asked again soon; AWS is spared.
var (
	lanePause    = [states.Lanes]time.Duration{states.LaneCluster: 100 * time.Millisecond, states.LaneAWS: 500 * time.Millisecond, states.LaneGroup: 500 * time.Millisecond, states.LaneIngress: 500 * time.Millisecond}
	lanePauseMax = [states.Lanes]time.Duration{states.LaneCluster: 400 * time.Millisecond, states.LaneAWS: maxPause, states.LaneGroup: maxPause, states.LaneIngress: maxPause}
)

func pauseAfter(failures int, first, most time.Duration) time.Duration {
	if failures == 0 {
		return 0
	}
	return min(most, first<<min(failures-1, 10))
}

// open tells whether a lane takes commands: it has none under way, and what its last ones changed has been asked since. So a
// decision made from the facts before an effect is not carried out after it.
func (e *Effects) open(l states.Lane) bool {
	lane := &e.lanes[l]
	if lane.busy || e.Now().Sub(lane.done) < pauseAfter(lane.failures, lanePause[l], lanePauseMax[l]) {
		return false
	}
	for _, s := range e.changedBy(l) {
		if !lane.done.IsZero() && !s.answered.After(lane.done) && (s.busy || s.dirty) {
			return false
		}
	}
	return true
}

// Busy lists the commands that are under way. It belongs to the deciding goroutine, as everything here does.
func (e *Effects) Busy() []states.Command {
	var list []states.Command
	for i := range e.lanes {
		if e.lanes[i].busy {
			list = append(list, e.lanes[i].batch...)
		}
	}
	return list
}

func (e *Effects) changedBy(l states.Lane) []*source {
	switch l {
	case states.LaneCluster:
		return []*source{&e.cluster}
	case states.LaneAWS:
		return []*source{&e.zone}
	case states.LaneGroup:
		return []*source{&e.group}
	case states.LaneIngress:
		return []*source{&e.ingress}
	default:
		return nil
	}
}

// complaints writes a failing question or command to the log when its error changes, and once when it succeeds again.
type complaints map[string]string

func (c *complaints) note(log zerolog.Logger, what string, err error) {
	if err == nil && (*c)[what] == "" {
		return
	}
	if *c == nil {
		*c = complaints{}
	}
	if err == nil {
		delete(*c, what)
		log.Info().Str("what", what).Msg("answers again")
		return
	}
	if text := err.Error(); (*c)[what] != text {
		(*c)[what] = text
		level := zerolog.WarnLevel
		if errors.Is(err, ErrChanged) {
			level = zerolog.InfoLevel // someone else was first: that is what a compare-and-set is for
		}
		log.WithLevel(level).Str("what", what).Err(err).Msg("failed; will be tried again")
	}
}

// addEndpoints remembers where members of the cluster serve clients. Those that were unhealthy when they were asked last come last: a
// change that a server leaves without an answer must not be asked of another, and would be tried there for ever.
func (e *Effects) addEndpoints(members []states.Member) {
	for i := range members {
		if url := members[i].ClientURL; url != "" && !slices.Contains(e.endpoints, url) {
			e.endpoints = append(e.endpoints, url)
		}
	}
	slices.SortFunc(e.endpoints, func(a, b string) int {
		if x, y := e.unwell(a), e.unwell(b); x != y {
			if x {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	})
}

// unwell tells whether the member that serves clients there was unhealthy when it was asked last.
func (e *Effects) unwell(endpoint string) bool {
	return slices.ContainsFunc(e.facts.Cluster.Members, func(m states.Member) bool { return m.ClientURL == endpoint && m.Health == states.No })
}
