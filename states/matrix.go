package states

import (
	"fmt"
	"slices"
	"strings"
)

// Hop is one step from a minor to the next, and what etcd demands for it. The rules refuse by this table, and preflight checks
// a cluster against it; what a version demands is written down nowhere else.
type Hop struct {
	From, To MinorVersion
	// Least is the oldest patch of From that any member may run when another goes on to To, and Why what becomes of an older
	// one. The zero value: any patch will do.
	Least Version
	Why   string
	// Fit is the oldest patch of To that is fit for use; the zero value: all are.
	Fit Version
	// Gone are flags that To no longer knows: etcd ends with status 2 on one. A * stands for any rest of the name.
	Gone []string
	// NoAuth says that etcd's users and roles must be switched off for the step.
	NoAuth bool
	// NoV2 says that no content of the v2 store may be left.
	NoV2 bool
	// NewLog says that the next server dies of log entries that older ones have written, even where they were applied long ago.
	// What a snapshot covers is not read any more, but a small cluster never takes one by itself.
	NewLog bool
	// Keyed says that some v3 key must have been written: the database must know its raft index.
	Keyed bool
}

// hops, in order. Sources: etcd.io/docs/v3.N/upgrades/upgrade_3_N for what is demanded, CHANGELOG-3.N.md and etcdmain/help.go of
// each minor for the flags; what is not there has its source beside it.
var hops = []Hop{
	{From: MinorVersion{2, 3}, To: MinorVersion{3, 0}, Gone: []string{"experimental-v3demo"}},
	{From: MinorVersion{3, 0}, To: MinorVersion{3, 1}},
	// 3.2 looks for FILE.snap.db where the database never learnt its raft index (etcdserver/backend.go recoverSnapshotBackend;
	// etcd issue 9480).
	{From: MinorVersion{3, 1}, To: MinorVersion{3, 2}, Keyed: true},
	{From: MinorVersion{3, 2}, To: MinorVersion{3, 3}},
	{From: MinorVersion{3, 3}, To: MinorVersion{3, 4}, Gone: []string{"ca-file", "peer-ca-file", "log-output"}},
	{
		From: MinorVersion{3, 4}, To: MinorVersion{3, 5}, NoAuth: true, // the log entries of authentication have another form
		Fit:  Version{3, 5, 3}, // Documentation/postmortems/v3.5-data-inconsistency.md
		Gone: []string{"debug", "log-package-levels", "next-cluster-version-compatible"},
	},
	{
		// The guide's floor. Before 3.5.20 and 3.5.24 learners that were promoted are learners again in 3.6, before 3.5.26 members
		// that were removed come back (etcd.io/blog/2025: upgrade_from_3.5_to_3.6_issue, its followup, zombie_members_upgrade).
		From: MinorVersion{3, 5}, To: MinorVersion{3, 6}, Least: Version{3, 5, 32}, NoV2: true,
		Why:  "members that were removed may come back",
		Gone: []string{"enable-v2", "experimental-enable-v2v3", "proxy*"},
		// Reads of the v2 store, which 3.3 and 3.4 write when they are asked for their /health (seen on 3.4.23 -> 3.5.35 ->
		// 3.6.16: "detected disallowed v2 WAL"; etcd issues 20809 and 20870).
		NewLog: true,
	},
	{
		From: MinorVersion{3, 6}, To: MinorVersion{3, 7}, Least: Version{3, 6, 11}, Why: "etcd's guide demands it", Gone: []string{"experimental-*"},
		// The requests by which servers up to 3.5 announce themselves and the version (seen on 3.5.35 -> 3.6.16 -> 3.7.3:
		// "unmarshal should never fail", server/etcdserver/apply.go).
		NewLog: true,
	},
}

// HopFrom is the step that leads on from a minor, if there is one.
func HopFrom(m MinorVersion) (Hop, bool) {
	i := slices.IndexFunc(hops, func(h Hop) bool { return h.From == m })
	if i < 0 {
		return Hop{}, false
	}
	return hops[i], true
}

// HopsTo lists the steps that lead from one minor to another, in order; none where no way is known.
func HopsTo(from, to MinorVersion) []Hop {
	var way []Hop
	for at := from; at.Less(to); {
		h, ok := HopFrom(at)
		if !ok || to.Less(h.To) {
			return nil
		}
		way, at = append(way, h), h.To
	}
	return way
}

// demands is the step that an upgrade makes; the zero value for one that leads back, or changes the patch only.
func demands(from, to MinorVersion) Hop {
	if h, _ := HopFrom(from); h.To == to {
		return h
	}
	return Hop{}
}

// Takes tells whether a member may run a version while another member makes this step. It judges patches of one minor only: who
// runs another, or one that is not known, is another step's business.
func (h *Hop) Takes(v Version) bool { return v.MinorOf() != h.From || !v.Less(h.Least) }

// Drops tells whether a flag, named without hyphens, is unknown to the servers after this step.
func (h *Hop) Drops(flag string) bool {
	return slices.ContainsFunc(h.Gone, func(gone string) bool {
		rest, wild := strings.CutSuffix(gone, "*")
		return flag == gone || wild && strings.HasPrefix(flag, rest)
	})
}

// tooOld names a member for which the step has to wait, and how that is mended. A member that does not answer is not asked: when
// it comes back, the rest of the roll waits for it.
func (h *Hop) tooOld(members []Member) string {
	for i := range members {
		if m := &members[i]; !h.Takes(m.Version) {
			return fmt.Sprintf("member %s runs etcd %s, and before the step to %s none may run one older than %s (%s): install that, or a later %s, in its --etcd-dir",
				m.Key(), m.Version, h.To, h.Least, h.Why, h.From)
		}
	}
	return ""
}
