package testbed

import (
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// Callers in most scenarios.
var (
	Productpage    = From{"west", "default/productpage"} // the caller that the binding of reviews lists
	OtherAccount   = From{"west", "default/other"}       // unlisted: another service account of the same namespace
	OtherNamespace = From{"west", "elsewhere/visitor"}   // unlisted: lives in a namespace without callers
	NoSidecar      = From{"west", "plain/plain"}         // has no sidecar
	Backend        = From{"east", "default/reviews"}     // calls west where calls go in both directions
	Outside        = From{}                              // belongs to no mesh
)

// Callers in the scenarios of a shop.
var (
	ShopAPI   = From{"west", "shop/api"}   // every binding lists it
	Batch     = From{"west", "shop/batch"} // a second caller that the bindings list
	ShopOther = From{"west", "shop/other"} // unlisted
	NorthAPI  = From{"north", "shop/api"}  // of a peer for which east configures nothing
)

// OtherOfWest is a workload of west that is not its egress gateway.
var OtherOfWest = pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"}

// Names and identities of the first scenario on the wire.
const (
	ReviewsSNI  = "p9080.reviews.west.fed.east.example"
	ReviewsHost = "reviews.default.svc.cluster.local"
	EgressHost  = "federation-egress.istio-federation.svc.cluster.local"
	BindingSNI  = "p9080.reviews.default.east.egress.fed.west.example"
	IngressID   = "spiffe://east.example/ns/istio-federation/sa/federation-ingress"
	EgressID    = "spiffe://west.example/ns/istio-federation/sa/federation-egress"
	EastAddress = "203.0.113.20:15443"
)

// The same where each boundary has a CA of its own.
const (
	BoundarySNI    = "p9080.reviews.west.fed.boundary.east.example"
	BoundaryEgress = "spiffe://boundary.west.example/ns/istio-federation/sa/federation-egress"
)

// DetailsURL is what east calls in west, where calls go in both directions.
const DetailsURL = "http://details.catalogue:9080/details/0"

// MysqlOf is the SNI of east's database for a peer.
func MysqlOf(peer string) string { return "p3306.mysql." + peer + ".fed.east.example" }

// ReviewOf is the SNI of east's reviews for a peer.
func ReviewOf(peer string) string { return "p9080.reviews." + peer + ".fed.east.example" }

// Rounded is a duration as people read it.
func Rounded(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
