package states

import (
	"slices"
	"strings"
)

// refused tells why a command must not be given for an observation; empty when it may. It is a rival of the rules: it looks at
// the facts alone, and works each out in its own, dumb way.
func refused(o *Observation, s State, c Command) string {
	switch c := c.(type) {
	case StartEtcd:
		return refusedStart(o, c)
	case StopEtcd:
		return refusedStop(o, s)
	case SetAsideData:
		return unless(o.Process.Running != Yes && (o.Disk.State == DiskMember || o.Disk.State == DiskBroken), "no data, or a server runs on it")
	case ForgetSetAside:
		return unless(o.Disk.SetAside && isVoter(o), "not a voter: its data may still be needed")
	case RecordJoined:
		return unless(isVoter(o), "is no voter")
	case CreateClaim, UpdateClaim:
		return refusedClaim(o, s, c)
	case HoldJoinLock:
		return unless(s == Joining, "does not join")
	case ReleaseJoinLock:
		return unless(s == Joining || s == Running || s == LeadingHousekeeping, "has no business with it") // deleted only if its own
	case AddMember:
		return refusedAdd(o, s, c)
	case PromoteMember:
		i := slices.IndexFunc(o.Cluster.Members, func(m Member) bool { return m.ID == c.ID })
		return unless(o.Cluster.Known == Yes && i >= 0 && o.Cluster.Members[i].Learner && o.Cluster.Local.MemberID == c.ID, "is not its own learner")
	case RemoveMember:
		return refusedRemoval(o, s, c)
	case MoveLeader:
		i := slices.IndexFunc(o.Cluster.Members, func(m Member) bool { return m.ID == c.To })
		mayGo := s == Leaving && o.Ending.Terminating == Yes || s == Upgrading && o.Cluster.Upgrade.Lock.Owner == o.Self.ID || refusedYield(o, s, c) == ""
		return unless(mayGo && c.To != o.Cluster.Local.MemberID && i >= 0 &&
			!o.Cluster.Members[i].Learner && o.Cluster.Members[i].Health == Yes, "not to a healthy other voter, or no need")
	case PublishDNS:
		return refusedPublication(o, s, c)
	case HoldUpgradeLock, ReleaseUpgradeLock, HaltUpgrade, StopForUpgrade, AdvanceLog:
		return refusedUpgrade(o, s, c)
	case HookHeartbeat:
		return unless(o.Group.Hook.Holds == c.Hook, "no such hook holds it")
	case CompleteHook:
		return refusedCompletion(o, s, c)
	case ReplaceInstance:
		return refusedReplacement(o, s, c)
	case AuthorizePeers:
		for _, address := range c.Addresses {
			of := func(in Instance) bool {
				return in.Address == address && in.Abroad && in.InGroup && in.State != InstanceStopped
			}
			if !o.Ingress.Configured || !slices.ContainsFunc(o.Group.Instances, of) {
				return "nobody who is to come has that address"
			}
		}
		return ""
	case RevokePeers:
		return refusedRevocation(o, c)
	}
	return "this test does not know the command"
}

func unless(ok bool, why string) string {
	if ok {
		return ""
	}
	return why
}

func isVoter(o *Observation) bool {
	for _, m := range o.Cluster.Members {
		if m.ID == o.Cluster.Local.MemberID && !m.Learner && m.ClientURL != "" {
			return o.Cluster.Known == Yes && o.Cluster.Local.Answers == Yes
		}
	}
	return false
}

// refusedStop: a member is stopped at its end; a learner, on which nobody counts, also when it does not come to serve.
func refusedStop(o *Observation, s State) string {
	if o.Process.Running != Yes || o.Process.Stopping {
		return "nothing to stop"
	}
	if s == Leaving { // an end was announced, or it would not stand there
		return ""
	}
	learner := slices.ContainsFunc(o.Cluster.Members, func(m Member) bool { return m.Learner && (m.Name == o.Self.ID || m.Address == o.Self.Address) })
	return unless(s == Joining && learner && o.Cluster.Local.Answers != Yes && !o.Cluster.Local.Restored.IsZero(), "it may be a voter, or may serve")
}

func refusedStart(o *Observation, c StartEtcd) string {
	switch {
	case o.Process.Running != No:
		return "a server runs, or may run"
	case c.State == ClusterRestart:
		return unless(o.Disk.State == DiskMember, "no data to restart on")
	case o.Disk.State != DiskEmpty:
		return "the disk is not known to be empty"
	case c.Name == "" || c.Address == "" || c.State == ClusterNew && c.Token == "" || !slices.Contains(o.Servers, c.Minor):
		return "incomplete, or no such server"
	case !slices.ContainsFunc(c.Cluster, func(m ClaimMember) bool { return m.ID == c.Name && m.Address == c.Address }):
		return "is not in its own list"
	}
	names := map[string]bool{}
	for _, m := range c.Cluster {
		if names[m.ID] {
			return "two members have one name"
		}
		names[m.ID] = true
	}
	return ""
}

// refusedClaim: a new cluster needs an empty disk, nothing living but the cluster that is forming, and the group seen whole.
func refusedClaim(o *Observation, s State, c Command) string {
	record := ClaimRecord{}
	switch c := c.(type) {
	case CreateClaim:
		record = c.Record
		if o.Claim.Exists != No {
			return "it is not known that there is none"
		}
	case UpdateClaim:
		record = c.New
		if o.Claim.Exists != Yes || !o.Claim.Record.Equal(&c.Old) {
			return "it does not replace what is there"
		}
	}
	switch {
	case o.Claim.Known != Yes || o.Claim.Foreign != "" || record.Token == "" || len(record.Members) == 0:
		return "not read, not ours, or of nobody"
	case record.State == ClaimFormed && (o.Cluster.Upgrade.Known != Yes || o.Cluster.Upgrade.Lock.Owner != ""):
		return "the upgrade lock is not known to be free"
	case record.State == ClaimFormed:
		return unless(s == LeadingHousekeeping && record.ClusterID == o.Cluster.ID && o.Cluster.Known == Yes, "has formed no cluster")
	case s != Bootstrapping || o.Disk.State != DiskEmpty || o.Process.Running == Yes:
		return "this instance is not fresh"
	case o.Group.Known != Yes || o.Now.Sub(o.Group.At) > staleGroup || o.Now.Sub(o.Polled) > stalePeers:
		return "the group is not known, or not any more"
	}
	for _, p := range o.Peers {
		if p.Answers == Yes && slices.ContainsFunc(p.Members, func(m Member) bool { return m.ClientURL != "" }) {
			return "a cluster is living"
		}
	}
	live := 0
	for _, in := range o.Group.Instances {
		if !in.InGroup || in.Address == "" || in.State == InstanceGone || in.State == InstanceStopped || in.State == InstanceUnknown {
			continue
		}
		live++
		if !record.Has(in.ID) {
			return in.ID + " is in the group and not in the claim"
		}
	}
	return unless(live == o.Group.Desired && len(record.Members) == live, "the group is not whole")
}

// refusedAdd: one at a time, under the lock, from a list read under it, and only while everybody is well.
func refusedAdd(o *Observation, s State, c AddMember) string {
	switch {
	case s != Joining || o.Disk.State != DiskEmpty || o.Process.Running == Yes || c.Address != o.Self.Address:
		return "this instance is not fresh"
	case o.Cluster.Known != Yes || o.Join.Owner != o.Self.ID || o.Cluster.At.Before(o.Join.Held):
		return "does not hold the lock, or read the list before it did"
	}
	for _, m := range o.Cluster.Members {
		if m.Learner || m.Health != Yes || m.ClientURL == "" || m.Address == c.Address {
			return "member " + m.Key() + " is in the way"
		}
	}
	return ""
}

// refusedYield: a leader that was warned gives its place away once, to one that stays, and while nobody changes its server.
func refusedYield(o *Observation, s State, c MoveLeader) string {
	i := slices.IndexFunc(o.Cluster.Members, func(m Member) bool { return m.ID == c.To })
	switch {
	case s != LeadingHousekeeping || c.At == "" || c.At != o.Ending.Warned || c.At == o.Ending.Yielded:
		return "was not warned, or has done it"
	case o.Cluster.Upgrade.Known != Yes || o.Cluster.Upgrade.Lock.Owner != "":
		return "the upgrade lock is not known to be free"
	}
	for _, in := range o.Group.Instances {
		if i >= 0 && in.InGroup && (in.ID == o.Cluster.Members[i].Name || in.Address == o.Cluster.Members[i].Address) {
			return ""
		}
	}
	return "to an instance that is not known to stay"
}

func refusedRemoval(o *Observation, s State, c RemoveMember) string {
	i := slices.IndexFunc(o.Cluster.Members, func(m Member) bool { return m.ID == c.ID && m.Name == c.Name && m.Address == c.Address })
	if o.Cluster.Known != Yes || i < 0 {
		return "is not listed"
	}
	m := o.Cluster.Members[i]
	if !m.Learner && !survivesDumbly(o.Cluster.Members, c.ID) {
		return "the others are no quorum"
	}
	switch s {
	case LeadingHousekeeping:
		if o.Cluster.Upgrade.Known != Yes || o.Cluster.Upgrade.Lock.Owner != "" {
			return "the upgrade lock is not known to be free"
		}
	default:
	}
	switch s {
	case Leaving:
		if m.ID != o.Cluster.Local.MemberID { // it leads, and goes on with what only who leads does
			return unless(o.Cluster.Local.Leader == o.Cluster.Local.MemberID && o.Cluster.Upgrade.Known == Yes && o.Cluster.Upgrade.Lock.Owner == "" &&
				m.Health == No && provenGone(&o.Group, m.Key()), "not its own, and works or is not proven gone")
		}
		return unless(o.Ending.Terminating == Yes, "not proven")
	case Joining:
		return unless(m.Address == o.Self.Address || m.Name == o.Self.ID, "not its own")
	case LeadingHousekeeping:
		return unless(m.Health == No && m.ID != o.Cluster.Local.MemberID && provenGone(&o.Group, m.Key()), "works, or is not proven gone")
	default:
		return "has no business with it"
	}
}

// provenGone by EC2's own word, or by three reads over a minute.
func provenGone(g *Group, key string) bool {
	for _, in := range g.Instances {
		if in.ID == key || in.Address == key {
			return g.Known == Yes && in.State == InstanceGone
		}
	}
	for _, a := range g.Absent {
		if a.Key == key && a.Reads >= 3 && !g.At.Before(a.Since.Add(absenceProof)) {
			return g.Known == Yes
		}
	}
	return false
}

func refusedPublication(o *Observation, s State, c PublishDNS) string {
	if o.Cluster.Upgrade.Known != Yes || o.Cluster.Upgrade.Lock.Owner != "" {
		return "the upgrade lock is not known to be free"
	}
	if s != LeadingHousekeeping || !o.DNS.Configured || o.DNS.Known != Yes || o.Group.Known != Yes || o.Cluster.Known != Yes || len(c.New) == 0 {
		return "does not know enough, or has nothing to say"
	}
	for _, old := range c.Old {
		if !slices.ContainsFunc(o.DNS.Records, func(r Record) bool { return r.Equal(&old) }) {
			return "replaces what is not there"
		}
	}
	for _, r := range c.New {
		if len(r.Values) == 0 || !slices.IsSorted(r.Values) || !strings.HasSuffix(r.Name, "."+o.Name+"."+o.DNS.Zone) && r.Name != o.Name+"."+o.DNS.Zone {
			return "publishes nothing, or outside its own names: " + r.Name
		}
		if r.Type != "A" {
			continue
		}
		for _, address := range r.Values {
			i := slices.IndexFunc(o.Cluster.Members, func(m Member) bool { return m.Address == address })
			if i < 0 || o.Cluster.Members[i].Learner || o.Cluster.Members[i].ClientURL == "" {
				return address + " is no started voter's"
			}
		}
	}
	return ""
}

// refusedUpgrade: the lock is taken when it is free, ended by its owner or for one that is gone, and a server is stopped only by
// its owner, while everything else is well.
func refusedUpgrade(o *Observation, s State, c Command) string {
	u := &o.Cluster.Upgrade
	mine := u.Lock.Owner == o.Self.ID
	switch c := c.(type) {
	case HoldUpgradeLock:
		return unless((s == Running || s == LeadingHousekeeping) && u.Known == Yes && u.Lock.Owner == "" && u.Halted.Owner == "" &&
			c.Lock.Owner == o.Self.ID && c.Lock.Member == o.Cluster.Local.MemberID && c.Lock.From == o.Process.Minor &&
			slices.Contains(o.Servers, c.Lock.To) && safeToStop(o, c.Lock.Member), "not free, or not safe")
	case ReleaseUpgradeLock:
		lock := u.Lock
		if c.Halted {
			lock = u.Halted
		}
		gone := s == LeadingHousekeeping && provenGone(&o.Group, lock.Owner)
		return unless(c.Lock == lock && (lock.Owner == o.Self.ID || gone), "another's")
	case AdvanceLog:
		return unless(s == Upgrading && mine && o.Disk.Snapshot <= u.Lock.Index, "has nothing to gain")
	case HaltUpgrade:
		return unless(s == Upgrading && mine && o.Process.Minor == u.Lock.To && (o.Process.Running == No || u.Lock.Patch.Known() && o.Cluster.Local.Version != u.Lock.Patch), "has not failed")
	case StopForUpgrade:
		return unless(s == Upgrading && mine && c.Lock == u.Lock && o.Process.Running == Yes && o.Process.Minor == u.Lock.From && u.Known == Yes &&
			o.Cluster.Local.Leader != o.Cluster.Local.MemberID && c.Desired == o.Group.Desired && safeToStop(o, o.Cluster.Local.MemberID) && (u.Lock.Patch.Known() || o.Disk.Snapshot > u.Lock.Index), "not safe")
	}
	return "no upgrade"
}

// safeToStop counts once more what the gate counts.
func safeToStop(o *Observation, id uint64) bool {
	voters, others := 0, 0
	for _, m := range o.Cluster.Members {
		if m.Learner || m.ClientURL == "" || m.Alarm != "" || m.ID == id && m.Health != Yes {
			return false
		}
		voters++
		if m.ID != id && m.Health == Yes {
			others++
		}
	}
	return o.Cluster.Known == Yes && o.Group.Known == Yes && voters == o.Group.Desired && 2*others > voters
}

// refusedCompletion: what waits for a launch takes it for a healthy voter, and what waits for an end for one that has gone.
func refusedCompletion(o *Observation, s State, c CompleteHook) string {
	healthy := false
	for _, m := range o.Cluster.Members {
		healthy = healthy || m.ID == o.Cluster.Local.MemberID && m.Health == Yes
	}
	switch {
	case o.Group.Hook.Holds != c.Hook:
		return "no such hook holds it"
	case c.Hook == Launching && c.Abandon:
		return unless(!isVoter(o) || !healthy, "is a healthy voter")
	case c.Hook == Launching:
		return unless(isVoter(o) && healthy && o.Cluster.Local.Leader != 0 && o.Cluster.Upgrade.Lock.Owner != o.Self.ID, "is no healthy voter, or changes its server")
	}
	return unless(s == Leaving && o.Ending.Terminating == Yes && (o.Process.Running == No || o.Group.Desired == 0), "has not left")
}

// refusedReplacement: only one is unhealthy, and the group stays as large as it is meant to be without it.
func refusedReplacement(o *Observation, s State, c ReplaceInstance) string {
	ill, voters := 0, 0
	for _, m := range o.Cluster.Members {
		if m.Learner {
			return m.Key() + " is joining"
		}
		voters++
		if m.Health == Yes && m.ClientURL != "" {
			continue
		}
		if ill++; m.Name != c.ID && m.Address != addressOf(c.ID) {
			return m.Key() + " is unhealthy as well"
		}
	}
	return unless(s == LeadingHousekeeping && ill == 1 && voters <= o.Group.Desired && voters-1 >= voters/2+1 && o.Cluster.Upgrade.Lock.Owner == "",
		"the others are not well, or not all")
}

// refusedRevocation: a member that cannot be reached any more counts as down, and who has just been launched cannot join.
func refusedRevocation(o *Observation, c RevokePeers) string {
	for _, address := range c.Addresses {
		has := func(in Instance) bool { return in.Address == address && in.State != InstanceGone }
		switch {
		case !slices.ContainsFunc(o.Ingress.Open, func(r Opening) bool { return r.Own && r.From.String() == address+"/32" }):
			return "the rule is not its own"
		case slices.ContainsFunc(o.Group.Instances, has):
			return "an instance has that address"
		case o.Cluster.Known != Yes || slices.ContainsFunc(o.Cluster.Members, func(m Member) bool { return m.Address == address }):
			return "a member has that address, or may"
		}
	}
	return ""
}
