package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The commands of docs/security.md make certificates that the daemon takes, and its configuration is one.
func TestDocsSecurityCertificates(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIPPED, and the commands of docs/security.md were not tried: there is no openssl")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-eu", "-c", strings.Join(fenced(string(text), "sh"), "\n"))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files := fenced(string(text), "yaml")
	if len(files) != 1 {
		t.Fatalf("%d configurations", len(files))
	}
	c, err := loadConfig(t, []string{"--etcd-dir", fakeServers(t, "3.7"), "--hosted-zone=elephant.example.org"}, nil, strings.ReplaceAll(files[0], "/etc/etcd-appliance", dir))
	if err != nil || c.TLS.Clients.Cert == "" || c.TLS.Peers.Cert == "" || !c.TLS.ClientCertAuth {
		t.Fatalf("%+v, %v", c.TLS, err)
	}
	if warnings := c.Warnings(); len(warnings) > 0 {
		t.Errorf("%q", warnings)
	}
}

// fenced are the blocks of a page in a language.
func fenced(page, language string) (blocks []string) {
	for _, rest := range strings.Split(page, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(rest, "\n```")
		blocks = append(blocks, block)
	}
	return blocks
}
