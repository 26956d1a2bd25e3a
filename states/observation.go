package states

import (
	"slices"
	"strings"
	"time"
)

// Observation is everything a decision is made from. Each part carries its own "is it known"; the zero value of the whole
// knows nothing. Slices are sorted by their first field and are never changed once observed.
type Observation struct {
	Now     time.Time      // when the turn began
	Name    string         // of the cluster: first label of its DNS names, and part of its bootstrap token; empty while unknown
	Self    Self           // who this instance is
	Wanted  MinorVersion   // the minor this instance is configured to run
	Exact   Version        // the very version, where the configuration names one; else unknown
	Since   time.Time      // when that was last configured
	Spread  time.Duration  // how much later another instance may learn of it
	Servers []MinorVersion // the minors whose server is installed here, ascending
	Patches []Version      // of those servers that tell their version
	Group   Group          // the auto-scaling group and its instances, as AWS tells
	Ingress Ingress        // whom the security group of this instance lets in
	Peers   []Peer         // what the other instances of the group answer on their peer port
	Polled  time.Time      // when the peers were last asked
	Claim   Claim          // the durable record of who bootstraps, or has bootstrapped, this cluster
	Disk    Disk           // the data directory of this instance
	Process Process        // the etcd process of this instance
	Cluster Cluster        // the living cluster, as etcd tells
	Join    Join           // this instance's attempt to join
	DNS     DNS            // what is published in the hosted zone
	Ending  Ending         // whether this daemon or this instance is being ended
}

// Self is the identity of this instance, from the instance metadata service or, while that does not answer, from the record
// beside the data directory if that is provably of this instance ([Disk.Own]). Member names are instance IDs.
type Self struct {
	ID      string // i-0123456789abcdef0; empty while unknown
	Address string // IPv4 address, the private one unless [Config.Public]; peer and client URLs are made of it
}

// InstanceState is the EC2 state of an instance.
type InstanceState uint8

// EC2 instance states. Shutting-down and terminated never revert, so they are proof that an instance is gone; stopped is not.
const (
	InstanceUnknown InstanceState = iota
	InstancePending
	InstanceRunning
	InstanceStopped // stopping or stopped
	InstanceGone    // shutting-down or terminated
)

// Instance is one EC2 instance, in the group or not.
type Instance struct {
	ID      string
	Address string // IPv4 address, the private one unless [Config.Public]; empty when EC2 shows none (terminated)
	DNSName string // of that address; empty when the VPC gives none
	Zone    string // availability zone; for people
	State   InstanceState
	InGroup bool // listed by the auto-scaling group, and not on its way out of it
	Abroad  bool // in another region than this instance
}

// Up tells whether a server may answer there, now or soon.
func (i *Instance) Up() bool {
	return i.Address != "" && (i.State == InstanceRunning || i.State == InstancePending)
}

// Absence is the evidence that AWS no longer knows an instance: neither its group nor a describe by its ID lists it. Absence
// in one read can be a stale read; see [Group.Gone].
type Absence struct {
	Key   string    // see [Member.Key]
	Since time.Time // the first read, of an unbroken row, that did not show it
	Reads int       // how many reads in a row did not show it
}

// Group is the auto-scaling group; where the cluster spans regions, its group in each of them taken together.
type Group struct {
	Known     Fact
	At        time.Time // when the read that these facts come from was begun; of the region whose facts are the oldest, zero while one never told
	Silent    []string  // regions that did not answer the last question: what is known of them is older, or nothing
	Desired   int
	Instances []Instance // by ID: the group's instances, and every member's instance that EC2 still shows
	Absent    []Absence  // by key
	Hook      Hook       // that holds this instance
}

// Instance finds an instance by what a member is known by: its ID, or its address.
func (g *Group) Instance(key string) (Instance, bool) {
	if !IsInstanceID(key) {
		i := slices.IndexFunc(g.Instances, func(in Instance) bool { return in.Address == key && key != "" })
		if i < 0 {
			return Instance{}, false
		}
		return g.Instances[i], true
	}
	id := key
	i, found := slices.BinarySearchFunc(g.Instances, id, func(i Instance, id string) int { return strings.Compare(i.ID, id) })
	if !found {
		return Instance{}, false
	}
	return g.Instances[i], true
}

// absenceProof is how long, and absenceReads in how many reads, an instance must be missing from every AWS answer before
// silence counts as proof; AWS documents its describe calls as eventually consistent.
const (
	absenceProof = 60 * time.Second
	absenceReads = 3
)

// Gone tells whether the instance behind a member has provably ended. EC2 saying so is proof at once, since that state
// never reverts; absence is proof only when it lasted.
func (g *Group) Gone(key string) Fact {
	if g.Known != Yes {
		return Unknown
	}
	if in, ok := g.Instance(key); ok {
		return Is(in.State == InstanceGone)
	}
	for i := range g.Absent {
		a := &g.Absent[i]
		if a.Key == key && a.Reads >= absenceReads && g.At.Sub(a.Since) >= absenceProof {
			return Yes
		}
	}
	return Unknown
}

// missing tells whether the last answer was asked for an instance and did not show it.
func (g *Group) missing(key string) bool {
	return slices.ContainsFunc(g.Absent, func(a Absence) bool { return a.Key == key })
}

// Peer is what another instance answered on its peer port (GET /members and /version, which need neither quorum nor
// authentication in any etcd from 2.3 on).
type Peer struct {
	InstanceID     string
	Address        string
	Answers        Fact // Yes: etcd answered; No: the connection was refused, nothing listens; Unknown: not asked, or silence
	ClusterID      uint64
	ClusterVersion MinorVersion // unknown until that cluster has decided it
	Members        []Member
}

// Member is one member of an etcd cluster.
type Member struct {
	ID        uint64
	Name      string // instance ID; empty until an added member has started
	Address   string // host of its peer URL
	ClientURL string // empty until it has started and published itself
	Learner   bool
	Health    Fact      // Yes: it answers and knows the leader; No: it does not; Unknown: not asked
	Unhealthy time.Time // since when Health has been No without a break
	Version   Version   // of its server; unknown while it does not answer
	Applied   uint64    // raft index it has applied
	Alarm     string    // what it, or its cluster, has raised an alarm about; empty when nothing
}

// Started tells whether the member has ever published itself to its cluster.
func (m *Member) Started() bool { return m.ClientURL != "" }

// Key is what AWS may know the instance behind the member by: its ID, which is the member's name, or else its address, when the
// member has never started, or another supervisor has named it.
func (m *Member) Key() string {
	if IsInstanceID(m.Name) {
		return m.Name
	}
	return m.Address
}

// Ours tells whether the member was brought in by this daemon, so that AWS can tell all about its instance.
func (m *Member) Ours() bool { return m.Name == "" || IsInstanceID(m.Name) }

// IsInstanceID tells an EC2 instance ID from any other name.
func IsInstanceID(s string) bool { return strings.HasPrefix(s, "i-") }

// ClaimState is how far a claimed bootstrap has come.
type ClaimState uint8

// A claim is pending until its cluster serves, then formed for good: an instance with an empty disk starts from the list of
// a pending claim, and never from that of a formed one.
const (
	ClaimPending ClaimState = iota
	ClaimFormed
)

func (s ClaimState) String() string {
	if s == ClaimFormed {
		return "formed"
	}
	return "pending"
}

// Claim is the create-once record that decides who forms the cluster.
type Claim struct {
	Store   ClaimStore
	Known   Fact // whether the store was read; the record may still not be there
	At      time.Time
	Exists  Fact
	Record  ClaimRecord
	Foreign string // why a record of that name cannot be ours; empty when it can
}

// ClaimStore is where claims are kept.
type ClaimStore uint8

// Without a store there is no claim, and etcd's own quorum over the full desired list is all that prevents two clusters.
const (
	ClaimNowhere ClaimStore = iota
	ClaimInRoute53
	ClaimInS3
)

// ClaimRecord is the content of a claim.
type ClaimRecord struct {
	State     ClaimState
	Token     string        // --initial-cluster-token, unique per bootstrap
	ClusterID uint64        // once formed
	Minor     MinorVersion  // pending: the server that all form it with, whatever each wants by now; unknown in one of an older daemon
	Members   []ClaimMember // pending: the static list to start from; formed: the voters, as the leader last wrote them
}

// ClaimMember is one instance named by a claim.
type ClaimMember struct{ ID, Address string }

// sortByID gives a list of claim members the one order in which lists of the same members are equal.
func sortByID(list []ClaimMember) {
	slices.SortFunc(list, func(a, b ClaimMember) int { return strings.Compare(a.ID, b.ID) })
}

// Has tells whether the record names the instance.
func (r *ClaimRecord) Has(id string) bool {
	return slices.ContainsFunc(r.Members, func(m ClaimMember) bool { return m.ID == id })
}

// Equal compares two records.
func (r *ClaimRecord) Equal(o *ClaimRecord) bool {
	return r.State == o.State && r.Token == o.Token && r.ClusterID == o.ClusterID && r.Minor == o.Minor && slices.Equal(r.Members, o.Members)
}

// DiskState is what the data directory holds.
type DiskState uint8

// Only DiskEmpty permits a bootstrap or a join; DiskUnknown (unreadable, not looked at yet) permits nothing.
const (
	DiskUnknown DiskState = iota
	DiskEmpty
	DiskMember // a write-ahead log is there
	DiskBroken // files are there, but no write-ahead log that a server could start from
)

// Disk is the data directory and the record that the daemon keeps beside it.
type Disk struct {
	State DiskState
	// From the record; zero when there is none (data of another supervisor).
	Minor   MinorVersion // the server that last ran on this data
	Name    string       // the instance that ran it
	Address string
	// Own says that the record was written by this very machine. When it does not, that is not known: a volume can be attached
	// to another instance, or be made from the snapshot of one, and brings its record along.
	Own bool
	// Joined says that the member on this disk was once seen as a voter. A learner's data is worth nothing to the cluster.
	Joined   bool
	SetAside bool   // data of an earlier member is kept beside it
	Snapshot uint64 // raft index of the newest snapshot: of what is older no server reads the log any more; 0 when there is none
	Error    string // why State is DiskUnknown or DiskBroken
}

// ExitReason is why the etcd process ended, from its exit status and last words.
type ExitReason uint8

// etcd exits with status 0 when its member was removed (server/etcdmain/etcd.go): that is no crash, and restarting it on the
// same data can only repeat it.
const (
	ExitNone         ExitReason = iota // it has not exited
	ExitCrash                          // killed, panicked, or any reason not told apart
	ExitStopped                        // stopped because the daemon asked
	ExitRemoved                        // the cluster has removed this member
	ExitCorrupt                        // the data cannot be read back
	ExitStale                          // the given member list does not match the living cluster
	ExitUnstarted                      // no process came to be: server missing, not executable
	ExitRefused                        // bad flag, address in use, version refused: the same start fails again
	ExitBootstrapped                   // told to form a cluster that already runs with this member in it
	ExitNewer                          // refused its data, of which a newer server has raised the version
)

// Process is the etcd process of this instance.
type Process struct {
	Running  Fact
	Stopping bool // told to stop and not gone yet
	PID      int
	Minor    MinorVersion // the server that runs, or ran last
	Started  time.Time
	Exited   time.Time // zero while running, or when it never ran under this daemon
	Reason   ExitReason
	Exits    int    // exits in a row, none of them after a minute of running
	Detail   string // for people: exit status and last words
}

// Cluster is the living cluster, as the members tell over their client port.
type Cluster struct {
	Known   Fact      // Yes: the list below was read through quorum; No: asked, and no quorum answered
	At      time.Time // when that read was begun
	By      uint64    // the member that answered it, where it says so (not over v2)
	Lost    time.Time // since when no quorum answers; zero while one does
	Asked   time.Time // when every member was last asked for its health
	ID      uint64
	Version MinorVersion // cluster version, unknown until settled
	Settled uint64       // raft index that the own server had applied when it had that version: no older server wrote what is behind; 0 until known
	Leader  uint64       // member ID; 0 when there is none
	Members []Member     // by ID
	Upgrade Upgrade
	Local   Local
}

// Local is what this instance's own server answers, with or without quorum.
type Local struct {
	Answers   Fact
	MemberID  uint64
	ClusterID uint64
	Leader    uint64
	Learner   bool
	Applied   uint64
	Version   Version
	Storage   MinorVersion // of its data, which no older server reads; not known before 3.6
	Downgrade MinorVersion // to which the cluster was told to go back; zero when it was not, or before 3.6
	Alarm     string       // as of a [Member]
	// Restored is since when the server that was started to join has the cluster's data, and yet does not serve; zero
	// when it serves, and for every other start. Its peer port tells.
	Restored time.Time
}

// Serves tells whether the server answers, as a voter that knows a leader.
func (l *Local) Serves() bool { return l.Answers == Yes && l.Leader != 0 && !l.Learner }

// Member finds a member by ID.
func (c *Cluster) Member(id uint64) (*Member, bool) {
	for i := range c.Members {
		if c.Members[i].ID == id {
			return &c.Members[i], true
		}
	}
	return nil, false
}

// Voters counts the voters and those of them that have started and are healthy.
func (c *Cluster) Voters() (n, healthy int) {
	for i := range c.Members {
		m := &c.Members[i]
		if m.Learner {
			continue
		}
		n++
		if m.Started() && m.Health == Yes {
			healthy++
		}
	}
	return n, healthy
}

// Join is this instance's attempt to join: the join lock, and the member it has added for itself under that lock.
type Join struct {
	Owner string    // instance that holds the lock; empty when nobody does, or when it is not known
	Held  time.Time // when this instance last took the lock or kept it alive; zero when it does not hold it
	Added uint64    // ID of the member that this daemon has added for itself; 0 when none
	Since time.Time // when it was added; a list read before cannot show it
}

// DNS is what the hosted zone holds for this cluster.
type DNS struct {
	Configured bool
	Known      Fact
	At         time.Time
	Zone       string // "elephant.example.org."
	Records    []Record
}

// Record is one record set, its values sorted.
type Record struct {
	Name   string // "_etcd-server._tcp.releaseetcd.elephant.example.org."
	Type   string // A, SRV or TXT
	TTL    int64  // seconds
	Values []string
}

// Equal compares two record sets.
func (r *Record) Equal(o *Record) bool {
	return r.Name == o.Name && r.Type == o.Type && r.TTL == o.TTL && slices.Equal(r.Values, o.Values)
}

// Ending is whether the daemon or its instance is being ended.
type Ending struct {
	Shutdown    Fact // the daemon was asked to stop (SIGTERM, SIGINT)
	Terminating Fact // the instance is being terminated: announced by its metadata and confirmed by Auto Scaling, or a spot notice
	Announced   Fact // the metadata announces termination; not yet a proof
	Reason      string
	Requested   time.Time // when the daemon was asked to stop
	Asked       time.Time // when the metadata was last asked, and answered
	Warned      string    // of what is to come, by AWS: a recommendation to rebalance, or scheduled maintenance; empty for nothing
	Yielded     string    // the warning at which this daemon has last tried to hand the leadership over
}
