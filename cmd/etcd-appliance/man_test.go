package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestManualHasEveryCommandAndFlag(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"man"}, &out, &errs); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	page := out.String()
	for _, want := range []string{".SS run\n", ".SS template cloud\\-init\n", "\\-\\-on\\-total\\-loss new|halt", ".SS completion bash\n", "\n.B \\-o, \\-\\-output string\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("SKIPPED: no groff (a package of Debian's, groff-base), so that nobody has read the page")
	}
	// -ww: every warning, such as of a request that there is not.
	cmd := exec.Command(groff, "-man", "-ww", "-z", "-Tutf8")
	cmd.Stdin = strings.NewReader(page)
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("groff: %v\n%s", err, said)
	}
}

// TestCompletionsAreShellScripts has each shell that is there read what is made for it.
func TestCompletionsAreShellScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"completion", shell}, &out, &errs); code != exitOK || !strings.Contains(out.String(), "etcd-appliance") {
			t.Errorf("%s: exit code %d: %s", shell, code, errs.String())
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, "-n")
		cmd.Stdin = &out
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v\n%s", shell, err, said)
		}
	}
}
