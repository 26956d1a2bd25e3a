package states

import "testing"

// TestFacts: an answer is never taken for none, and none never for an answer.
func TestFacts(t *testing.T) {
	var unasked Fact
	if Is(true) != Yes || Is(false) != No || unasked != Unknown {
		t.Errorf("true is %s, false is %s, and what nobody has asked is %s", Is(true), Is(false), unasked)
	}
}
