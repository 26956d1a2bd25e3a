package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what comes of the stories into testdata/dialogues/*.txt; read the diff, and keep it only if you can say for each line why it changed")

// TestGolden plays the stories of testdata/dialogues. What came of each step stands below it, on lines that begin with ">".
//
//	go test ./sim -run Golden -rewrite
//
// writes them anew. The diff is the review of a change: the first line that differs in a story is the one to explain.
func TestGolden(t *testing.T) {
	t.Parallel()
	all, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			got, err := Tell(&s)
			if err != nil {
				t.Error(err)
			}
			if got == s.Text {
				return
			}
			if *rewrite {
				err = os.WriteFile(filepath.Join("testdata/dialogues", s.Name+".txt"), []byte(got), 0o644)
			} else {
				err = fmt.Errorf("it comes to something else (to accept it: -rewrite, and read the diff)\n%s", diff(s.Text, got))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// diff shows the lines from the first that differs, a few of each side.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	first := 0
	for first < len(w) && first < len(g) && w[first] == g[first] {
		first++
	}
	show := func(sign string, lines []string) (s string) {
		for i := first; i < min(first+12, len(lines)); i++ {
			s += fmt.Sprintf("%s %d: %s\n", sign, i+1, lines[i])
		}
		return s
	}
	return show("-", w) + show("+", g)
}
