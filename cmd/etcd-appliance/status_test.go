package main

import (
	"bytes"
	"net"
	"strings"
	"testing"
)

func TestStatusAddress(t *testing.T) {
	for given, want := range map[string]string{
		"127.0.0.1:2381": "127.0.0.1:2381", "10.0.0.1:9": "10.0.0.1:9", "0.0.0.0:2381": "127.0.0.1:2381", ":2381": "127.0.0.1:2381", "[::]:2381": "127.0.0.1:2381",
	} {
		if got, err := statusAddress(&Config{StatusAddress: given}); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", given, got, err, want)
		}
	}
}

// TestStatusWithoutADaemon: the command says what to do.
func TestStatusWithoutADaemon(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // nobody is there
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"--status-address", address}, exitFailure, []string{"no daemon tells its status at " + address, "connection refused", "systemctl status etcd-appliance"}},
		{[]string{"--json", "--status-address", address}, exitFailure, []string{"no daemon tells its status"}},
		{[]string{"--status-address", "off"}, exitUsage, []string{"flag --status-address: the daemon is told not to serve its status", "hint: give the daemon an address"}},
		{[]string{"--status-address", "nowhere"}, exitUsage, []string{"is not an address to listen on"}},
	} {
		var out, complaints bytes.Buffer
		if code := run(t.Context(), append([]string{"status"}, c.args...), &out, &complaints); code != c.code || out.Len() > 0 {
			t.Errorf("%q: code %d, want %d; prints %q", c.args, code, c.code, &out)
		}
		for _, want := range c.says {
			if !strings.Contains(complaints.String(), want) {
				t.Errorf("%q does not say %q:\n%s", c.args, want, &complaints)
			}
		}
	}
}
