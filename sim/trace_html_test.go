package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// brokenPage is the page of a run that breaks a planted invariant.
func brokenPage(t *testing.T) ([]Entry, string) {
	t.Helper()
	r := failing(t, twoFaults)
	r, entries := traced(Options{Plan: &r.Plan, planted: twoFaults})
	var page bytes.Buffer
	if err := HTML(&page, &r, entries); err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("SIM_HTML"); path != "" { // to be looked at
		if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return entries, page.String()
}

// The page needs nothing else, says what was broken, and what its script is given comes to the entries of the trace again.
func TestPageOfAViolation(t *testing.T) {
	t.Parallel()
	entries, page := brokenPage(t)
	for _, foreign := range []string{"src=", "href=", "url(", "import ", "fetch("} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page asks for something else: %s", foreign)
		}
	}
	for _, want := range []string{`<h1 class="broken">T1 at`, `id="trace"`, `id="filter"`, `id="detail"`, `data-key="v"`, `name: 'join lock'`, `name: 'upgrade lock'`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	given := regexp.MustCompile(`(?m)^const entries = (\[.*\]);$`).FindStringSubmatch(page)
	if given == nil {
		t.Fatal("the script is given no entries")
	}
	var rows []Entry
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(given[1]), &raw); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		var e Entry
		if i > 0 { // what is left out is as before
			e = rows[i-1]
			e.Who, e.Lane = "", ""
		}
		if err := json.Unmarshal(raw[i], &e); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, e)
	}
	for i := range entries {
		entries[i].At = 0 // which is a number there
	}
	if !slices.Equal(rows, entries) {
		t.Errorf("the page tells of %d entries, which are not the %d of the trace", len(rows), len(entries))
	}
}

// pressed presses keys on the page, and leaves in its title what was picked after each.
const pressed = `<script>
const told = [];
const tell = () => { const at = main.querySelector('.picked'); told.push(at ? at.classList[1] + at.dataset.n : 'nothing'); };
tell();
for (const key of ['k', 'j', 'ArrowLeft', 'ArrowRight', 'k', 'k', 'f', 'v']) { document.dispatchEvent(new KeyboardEvent('keydown', {key})); tell(); }
document.dispatchEvent(new KeyboardEvent('keydown', {key: '/'}));
told.push(document.activeElement.id);
filter.value = 'etcd crash'; filter.dispatchEvent(new Event('input')); tell();
filter.value = 'no such words'; filter.dispatchEvent(new Event('input')); tell();
filter.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true})); tell();
told.push(filter.value === '' && document.activeElement !== filter && $('count').textContent.startsWith(shown.length + ' of') ? 'emptied' : 'kept');
document.title = told.join(' ');
</script></body>`

// The keys do what the page says of them, in a browser where there is one.
func TestKeysOfThePage(t *testing.T) {
	t.Parallel()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("NOT TESTED: the keys of the page that --html writes. There is no chromium on PATH.")
	}
	entries, page := brokenPage(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, []byte(strings.Replace(page, "</body>", pressed, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"), "--dump-dom", "file://"+file)
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", browser, err)
	}
	title := regexp.MustCompile(`<title>(.*)</title>`).FindSubmatch(dom)
	if title == nil {
		t.Fatalf("the browser shows\n%s", dom)
	}
	told := string(title[1])
	// The fault that the bug was planted upon comes right before the violation.
	want := regexp.MustCompile(`^violation(\d+) fault(\d+) violation(\d+) fault(\d+) violation(\d+) fault(\d+) \w+\d+ fault(\d+) violation(\d+) filter fault0 nothing violation(\d+) emptied$`)
	if !want.MatchString(told) {
		t.Errorf("of %d entries the keys pick %s", len(entries), told)
	}
}
