package main_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Every relative link in a page leads to a file, and its anchor to a heading there.
func TestLinksResolve(t *testing.T) {
	pages, links := markdownFiles(t), 0
	for _, page := range pages {
		for _, link := range linksOf(t, page) {
			links++
			if err := follow(t, page, link); err != nil {
				t.Errorf("%s: %s: %v", page, link, err)
			}
		}
	}
	if len(pages) < 10 || links < 100 {
		t.Errorf("%d links in %d pages were found: the test does not see them", links, len(pages))
	}
}

func TestAnchorsOfHeadings(t *testing.T) {
	for heading, want := range map[string]string{
		"What is not in yet":                                 "what-is-not-in-yet",
		"Troubleshooting by `why`":                           "troubleshooting-by-why",
		"Reports, and what to do":                            "reports-and-what-to-do",
		"The [claim](x.md)":                                  "the-claim",
		"`etcd-appliance-launching`, _or_ two  spaces, 3.7?": "etcd-appliance-launching-or-two--spaces-37",
	} {
		if got := anchor(heading); got != want {
			t.Errorf("%q: %q, want %q", heading, got, want)
		}
	}
	if err := follow(t, filepath.Join(root, "README.md"), "docs/states.md#no-such-heading"); err == nil {
		t.Error("an anchor that is not there is not noticed")
	}
	if err := follow(t, filepath.Join(root, "README.md"), "docs/no-such-page.md"); err == nil {
		t.Error("a page that is not there is not noticed")
	}
}

func markdownFiles(t *testing.T) (pages []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "bin"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			pages = append(pages, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

var (
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	linked   = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	headings = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	inLink   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// text is a page without its blocks of code.
func text(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(data), "")
}

func linksOf(t *testing.T, page string) (links []string) {
	t.Helper()
	for _, m := range linked.FindAllStringSubmatch(text(t, page), -1) {
		if !strings.Contains(m[1], "://") {
			links = append(links, m[1])
		}
	}
	return links
}

func follow(t *testing.T, page, link string) error {
	t.Helper()
	file, fragment, _ := strings.Cut(link, "#")
	target := page
	if file != "" {
		target = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
	}
	if _, err := os.Stat(target); err != nil {
		return err
	}
	if fragment == "" {
		return nil
	}
	var anchors []string
	for _, m := range headings.FindAllStringSubmatch(text(t, target), -1) {
		anchors = append(anchors, anchor(m[1]))
	}
	if !slices.Contains(anchors, fragment) {
		return fmt.Errorf("%s has no heading %q", target, fragment)
	}
	return nil
}

// anchor is what GitHub makes of a heading: the letters, digits and hyphens of its text, in lower case, with hyphens for spaces.
func anchor(heading string) string {
	heading = inLink.ReplaceAllString(heading, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
}
