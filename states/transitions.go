package states

import "slices"

// State is where a daemon stands between its start and its end.
type State string

// The states. Names are Mermaid-safe (no hyphens), since the diagram in docs/states.md is drawn from them.
const (
	Discovering         State = "Discovering"         // finding out whether there is a cluster, data, a claim
	Bootstrapping       State = "Bootstrapping"       // forming a new cluster behind the claim
	Joining             State = "Joining"             // becoming a voter of a living cluster
	Running             State = "Running"             // a member; its etcd is kept running
	Upgrading           State = "Upgrading"           // holding the upgrade lock, changing its own server
	LeadingHousekeeping State = "LeadingHousekeeping" // a member whose etcd leads: removes, claims, publishes
	Leaving             State = "Leaving"             // the daemon or its instance is being ended
)

// Event is what makes a daemon change its state. Staying is not an event.
type Event string

// The events.
const (
	FoundData     Event = "member data found"
	FoundCluster  Event = "living cluster found"
	BootstrapDue  Event = "bootstrap due"
	StartOver     Event = "start over"
	Serving       Event = "member serves"
	StillLearner  Event = "still a learner"
	WonLeadership Event = "leadership won"
	LostLeader    Event = "leadership lost"
	UpgradeDue    Event = "upgrade due"
	UpgradeEnded  Event = "upgrade ended"
	EndingSeen    Event = "end announced"
)

// Edge is one arrow of the diagram.
type Edge struct {
	From State
	On   Event
	To   State
}

// edges is the one table: looplab/fsm runs it, and the diagram is drawn from it. A daemon begins in Discovering after every
// start; nothing of its state is kept on disk, since everything it needs can be observed.
var edges = []Edge{
	{Discovering, FoundData, Running},
	{Discovering, FoundCluster, Joining},
	{Discovering, BootstrapDue, Bootstrapping},
	{Discovering, EndingSeen, Leaving},

	{Bootstrapping, FoundData, Running},
	{Bootstrapping, Serving, Running},
	{Bootstrapping, StartOver, Discovering},
	{Bootstrapping, EndingSeen, Leaving},

	{Joining, Serving, Running},
	{Joining, StartOver, Discovering},
	{Joining, EndingSeen, Leaving},

	{Running, StillLearner, Joining},
	{Running, StartOver, Discovering},
	{Running, WonLeadership, LeadingHousekeeping},
	{Running, UpgradeDue, Upgrading},
	{Running, EndingSeen, Leaving},

	{LeadingHousekeeping, LostLeader, Running},
	{LeadingHousekeeping, UpgradeDue, Upgrading},
	{LeadingHousekeeping, EndingSeen, Leaving},

	{Upgrading, UpgradeEnded, Running},
	{Upgrading, StartOver, Discovering},
	{Upgrading, EndingSeen, Leaving},
}

// Edges lists the arrows of the diagram, in the order of the table.
func Edges() []Edge { return slices.Clone(edges) }

// States lists the states in the order of a daemon's life.
func States() []State {
	return []State{Discovering, Bootstrapping, Joining, Running, Upgrading, LeadingHousekeeping, Leaving}
}
