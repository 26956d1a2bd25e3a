package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func template(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"template"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// TestTemplatesArePrinted: what is in them is tested where they are made.
func TestTemplatesArePrinted(t *testing.T) {
	_, list, _ := template(t)
	for name, c := range map[string]struct {
		args []string
		has  string
	}{
		"cloudformation": {nil, "AWS::EC2::LaunchTemplate"},
		"senza":          {nil, "Senza::StupsAutoConfiguration"},
		"iam-policy":     {[]string{"--hosted-zone", "Elephant.example.org."}, `"releaseetcd.elephant.example.org"`},
		"systemd":        {nil, "KillMode=process"},
		"cloud-init":     {[]string{"--source", "registry.example.org/etcd-appliance:1.0"}, "  registry.example.org/etcd-appliance:1.0\n"},
	} {
		if !strings.Contains(list, name+" ") {
			t.Errorf("template does not list %s:\n%s", name, list)
		}
		code, out, errs := template(t, append([]string{name}, c.args...)...)
		if code != exitOK || errs != "" || !strings.Contains(out, c.has) {
			t.Errorf("template %s: exit code %d, %q, without %q:\n%s", name, code, errs, c.has, out)
		}
		file := filepath.Join(t.TempDir(), "file")
		code, nothing, _ := template(t, append([]string{name, "-o", file}, c.args...)...)
		if text, err := os.ReadFile(file); code != exitOK || nothing != "" || err != nil || string(text) != out {
			t.Errorf("template %s -o: exit code %d, prints %q, writes %q: %v", name, code, nothing, text, err)
		}
	}
}

func TestTemplatesRefuseWhatTheDaemonWould(t *testing.T) {
	for _, args := range [][]string{
		{"nothing"},
		{"cloud-init"}, // without a source
		{"cloud-init", "--source", "a'; rm -rf /"},
		{"cloud-init", "--source", "https://example.org/x", "--sha256", "abc"},
		{"cloud-init", "--source", "https://example.org/x", "--etcd-version", "new"},
		{"iam-policy", "--cluster-name", "Release"},
		{"iam-policy", "--hosted-zone", "Z3M3LMPEXAMPLE"},
		{"iam-policy", "--hosted-zone-id", "elephant.example.org"},
		{"iam-policy", "--group", `x"`},
		{"iam-policy", "--bucket", "s3://x"},
	} {
		if code, out, errs := template(t, args...); code != exitUsage || errs == "" || strings.Contains(out, "Statement") {
			t.Errorf("template %q: exit code %d, %q", args, code, errs)
		}
	}
}
