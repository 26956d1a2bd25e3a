package states

import "testing"

// TestInstance: a member is known by the instance's ID, or by its address. EC2 shows no address of an instance that has ended:
// a member of which nothing is known must not be taken for it.
func TestInstance(t *testing.T) {
	g := Group{Known: Yes, Instances: []Instance{
		{ID: "i-a", Address: "10.0.0.1", State: InstanceRunning}, {ID: "i-b", Address: "10.0.0.2", State: InstanceRunning}, {ID: "i-c", State: InstanceGone},
	}}
	for key, want := range map[string]string{
		"i-a": "i-a", "i-c": "i-c", "i-d": "", "10.0.0.1": "i-a", "10.0.0.2": "i-b", "10.0.0.3": "", "": "",
	} {
		if in, ok := g.Instance(key); in.ID != want || ok != (want != "") {
			t.Errorf("%q is found as %q, %v; want %q", key, in.ID, ok, want)
		}
	}
	if gone := g.Gone(""); gone != Unknown {
		t.Errorf("the instance of a member of which nothing is known is gone: %s", gone)
	}
}
