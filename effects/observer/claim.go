package observer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Claim is the bootstrap claim as published.
type Claim struct {
	State     string // pending, formed; empty when there is none
	ClusterID uint64
	Members   []string // instance IDs, sorted
}

// ClaimRight tells whether the claim is closed, and is that of the living cluster and its members; or else what is wrong.
func (v *View) ClaimRight() error {
	var members []string
	for _, i := range v.InService() {
		members = append(members, i.ID)
	}
	switch ids := v.ClusterIDs(); {
	case v.Claim.State != "formed":
		return fmt.Errorf("the bootstrap claim is %q, and is to be formed", v.Claim.State)
	case !slices.Equal(ids, []uint64{v.Claim.ClusterID}):
		return fmt.Errorf("the bootstrap claim is of cluster %x, living is %x", v.Claim.ClusterID, ids)
	case !sameSet(v.Claim.Members, members):
		return fmt.Errorf("the bootstrap claim names %v, members are %v", v.Claim.Members, members)
	}
	return nil
}

// askClaim reads what the cluster was formed behind, wherever that is.
func (o *Observer) askClaim(ctx context.Context) (Claim, error) {
	texts, err := o.claimTexts(ctx)
	if err != nil {
		return Claim{}, fmt.Errorf("bootstrap claim: %w", err)
	}
	var c Claim
	for field := range strings.FieldsSeq(strings.Join(texts, " ")) {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "state":
			c.State = value
		case "cluster":
			if c.ClusterID, err = strconv.ParseUint(value, 16, 64); err != nil {
				return Claim{}, fmt.Errorf("bootstrap claim: %w", err)
			}
		case "members":
			for member := range strings.SplitSeq(value, ",") {
				id, _, _ := strings.Cut(member, "=")
				c.Members = append(c.Members, id)
			}
		}
	}
	slices.Sort(c.Members)
	return c, nil
}

// claimTexts are the values of the record, or the object of the bucket; none where there is none.
func (o *Observer) claimTexts(ctx context.Context) ([]string, error) {
	if o.target.Bucket == "" {
		return o.dns.text(ctx, "_etcd-bootstrap."+o.target.Cluster+"."+o.target.Zone)
	}
	out, err := o.target.S3.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(o.target.Bucket), Key: aws.String("etcd-appliance/" + o.target.Cluster + "/claim"),
	})
	if _, missing := errors.AsType[*s3types.NoSuchKey](err); missing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(out.Body, 64<<10))
	return []string{string(text)}, err
}
