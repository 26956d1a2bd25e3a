package awsfake_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// A replay depends on this package having no other input than its calls and
// Options.Now.
func TestPure(t *testing.T) {
	files, err := filepath.Glob("*.go")
	must(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		must(t, err)
		for _, i := range tree.Imports {
			switch i.Path.Value {
			case `"net"`, `"os"`, `"os/exec"`, `"math/rand"`, `"math/rand/v2"`, `"crypto/rand"`, `"sync"`, `"log"`:
				t.Errorf("%s imports %s", file, i.Path.Value)
			}
		}
	}
}
