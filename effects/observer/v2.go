package observer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// get reads what is answered on the client port to a request of no gRPC.
func (s *servers) get(ctx context.Context, address, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(address)+path, nil)
	if err != nil {
		return err
	}
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// versionsOf is what a server of any version tells at /version.
type versionsOf struct {
	Server  string `json:"etcdserver"`
	Cluster string `json:"etcdcluster"`
}

// isV2 tells whether the cluster serves v2 and no v3: its version is 2.3, whatever its servers are.
func (v versionsOf) isV2() bool { return strings.HasPrefix(v.Cluster, "2.") }

// askV2 gives what a server answers over v2, which is all that a cluster of 2.3 serves.
func (s *servers) askV2(ctx context.Context, address, version string, e *Etcd) error {
	var self, leader struct {
		ID string `json:"id"`
	}
	e.Version = version
	err := s.get(ctx, address, "/v2/stats/self", &self)
	if err == nil {
		e.MemberID, err = strconv.ParseUint(self.ID, 16, 64)
	}
	if err != nil {
		return fmt.Errorf("client port: %w", err)
	}
	if err := s.get(ctx, address, "/v2/members/leader", &leader); err != nil {
		return fmt.Errorf("client port: %w", err) // during an election
	}
	if e.Leader, err = strconv.ParseUint(leader.ID, 16, 64); err != nil {
		return fmt.Errorf("client port: %w", err)
	}
	var root struct{}
	if err := s.get(ctx, address, "/v2/keys/?quorum=true", &root); err != nil {
		return fmt.Errorf("read through quorum: %w", err)
	}
	e.Serves = true
	return nil
}
