package states

import (
	"go/ast"
	"reflect"
	"strings"
	"testing"
)

// kinds reads from the source which types are commands, so that one that Commands() forgets is noticed.
func kinds(t *testing.T) map[string]bool {
	found := map[string]bool{}
	for _, file := range sourceOf(t).files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "command" {
				found[f.Recv.List[0].Type.(*ast.Ident).Name] = true
			}
		}
	}
	return found
}

func TestCommandsListsEveryKind(t *testing.T) {
	declared, listed := kinds(t), map[string]bool{}
	for _, c := range Commands() {
		kind := reflect.TypeOf(c).Name()
		if listed[kind] {
			t.Errorf("Commands lists %s twice", kind)
		}
		listed[kind] = true
		if !declared[kind] {
			t.Errorf("%s is listed and not found in the source", kind)
		}
	}
	for kind := range declared {
		if !listed[kind] {
			t.Errorf("Commands does not list %s: no test would notice that nothing handles it", kind)
		}
	}
}

// TestEveryCommandHasALane spells the lanes out: LaneOf has a default, and a new command must not fall into it unseen.
func TestEveryCommandHasALane(t *testing.T) {
	lanes := map[string]Lane{
		"CreateClaim": LaneAWS, "UpdateClaim": LaneAWS, "PublishDNS": LaneAWS,
		"HoldJoinLock": LaneCluster, "ReleaseJoinLock": LaneCluster, "AddMember": LaneCluster, "PromoteMember": LaneCluster,
		"RemoveMember": LaneCluster, "MoveLeader": LaneCluster,
		"HoldUpgradeLock": LaneCluster, "ReleaseUpgradeLock": LaneCluster, "HaltUpgrade": LaneCluster, "StopForUpgrade": LaneCluster,
		"AdvanceLog":    LaneCluster,
		"HookHeartbeat": LaneGroup, "CompleteHook": LaneGroup, "ReplaceInstance": LaneGroup,
		"AuthorizePeers": LaneIngress, "RevokePeers": LaneIngress,
		"StartEtcd": LaneProcess, "StopEtcd": LaneProcess, "SetAsideData": LaneProcess, "ForgetSetAside": LaneProcess, "RecordJoined": LaneProcess,
	}
	for _, c := range Commands() {
		want, ok := lanes[reflect.TypeOf(c).Name()]
		if got := LaneOf(c); !ok || got != want || got >= Lanes {
			t.Errorf("%T runs in lane %d; this test says %d (known: %v)", c, got, want, ok)
		}
	}
}

func TestEveryCommandSpeaks(t *testing.T) {
	for _, c := range Commands() {
		if s := c.String(); strings.TrimSpace(s) == "" || strings.Contains(s, "%!") || strings.Contains(s, "\n") {
			t.Errorf("%T says %q", c, s)
		}
	}
	said := map[string]Command{}
	record := ClaimRecord{State: ClaimFormed, Token: "t-1", Members: []ClaimMember{{"i-a", "10.0.0.1"}, {"i-b", "10.0.0.2"}}}
	for _, c := range []Command{
		CreateClaim{record}, UpdateClaim{New: record}, StartEtcd{Minor: minor37}, StartEtcd{Minor: minor37, State: ClusterNew}, StartEtcd{Minor: minor36},
		StopEtcd{"told to"}, SetAsideData{"broken"}, AddMember{"10.0.0.4", true}, AddMember{"10.0.0.4", false}, PromoteMember{0xd4}, MoveLeader{To: 0xd4},
		RemoveMember{ID: 0xd4, Name: "i-d", Why: "ended"}, RemoveMember{ID: 0xd4, Address: "10.0.0.4", Why: "ended"},
		PublishDNS{New: []Record{{Name: "x.", Type: "A", Values: []string{"10.0.0.1"}}}},
	} {
		if said[c.String()] != nil {
			t.Errorf("%#v and %#v both say %q", c, said[c.String()], c)
		}
		said[c.String()] = c
	}
	for _, want := range []string{
		"create claim formed t-1 [i-a i-b]", "remove member d4 (i-d): ended", "remove member d4 (10.0.0.4): ended", "add learner 10.0.0.4", "add voter 10.0.0.4",
	} {
		if said[want] == nil {
			t.Errorf("nothing says %q; it is what logs and runbooks look for", want)
		}
	}
}
