package status

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

// page escapes whatever it is given: names of members and the last words of etcd are others' text.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"ago": ago, "grade": grade, "term": term,
	"join": func(list []string) string { return strings.Join(list, ", ") },
}).Parse(pageText))

// view is what the page shows.
type view struct {
	Status
	Drawing  drawing
	Alive    bool
	NotAlive string
	Last     *Told // the last change of state
	Now      time.Time
}

func (b *Board) view(s *Snapshot) view {
	v := view{Status: b.Status(s), Now: b.Now()}
	v.Alive, v.NotAlive = s.Alive(v.Now)
	for i := range v.Decisions {
		if len(v.Decisions[i].Edges) > 0 {
			v.Last = &v.Decisions[i]
			v.Drawing = draw(v.State, v.Last.Edges)
			return v
		}
	}
	v.Drawing = draw(v.State, nil)
	return v
}

// policy lets the page run its own script and no other, and ask nobody but the daemon.
var policy = "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'sha256-" + scriptHash() + "'"

func scriptHash() string {
	_, script, _ := strings.Cut(pageText, "<script>")
	script, _, _ = strings.Cut(script, "</script>")
	sum := sha256.Sum256([]byte(script))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (b *Board) servePage(w http.ResponseWriter, _ *http.Request) {
	s := b.Latest()
	if s == nil {
		answer(w)(s.Alive(b.Now()))
		return
	}
	var text bytes.Buffer
	if err := page.Execute(&text, b.view(s)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	plain(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(text.Bytes())
}

// ago writes how long something is past, in one unit or two: 42s, 3m, 2h5m, 3d4h.
func ago(now, then time.Time) string {
	d := now.Sub(then)
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 24*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h" + strconv.Itoa(int(d.Minutes())%60) + "m"
	default:
		return strconv.Itoa(int(d.Hours())/24) + "d" + strconv.Itoa(int(d.Hours())%24) + "h"
	}
}
