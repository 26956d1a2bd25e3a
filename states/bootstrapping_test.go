package states

import "testing"

// TestClaimTellsWhichClusterItForms: the ID is one that a server of etcd 3.7.3 gave itself for this list and token.
func TestClaimTellsWhichClusterItForms(t *testing.T) {
	const seen = 0x5e891f0357c5d3a8
	claim := ClaimRecord{Token: "main-i-a-1", Members: []ClaimMember{{"i-a", "127.9.9.1"}, {"i-b", "127.9.9.2"}}}
	swapped := ClaimRecord{Token: "main-i-a-1", Members: []ClaimMember{{"i-b", "127.9.9.2"}, {"i-a", "127.9.9.1"}}}
	other := ClaimRecord{Token: "main-i-a-2", Members: claim.Members}
	less := ClaimRecord{Token: "main-i-a-1", Members: claim.Members[:1]}
	for _, c := range []struct {
		what  string
		claim ClaimRecord
		port  int
		want  bool
	}{
		{"the claim", claim, 2380, true},
		{"in another order", swapped, 2380, true},
		{"on another port", claim, 2381, false},
		{"with another token", other, 2380, false},
		{"of fewer", less, 2380, false},
		{"of nobody", ClaimRecord{Token: "main-i-a-1"}, 2380, false},
	} {
		if got := c.claim.forms(seen, c.port); got != c.want {
			t.Errorf("%s: forms it: %v", c.what, got)
		}
	}
}
