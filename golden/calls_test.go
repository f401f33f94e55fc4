package golden_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/golden/bookshop"
	"github.com/dbgen/dbgen/golden/types"
)

// bookshopCalls has arguments for every method of the bookshop with which it finds
// or changes something of testdata/bookshop.sql.
func bookshopCalls(t *testing.T) map[string][]any {
	t.Helper()
	n := func(text string) pgtype.Numeric { return number(t, text) }
	id := func(last byte) pgtype.UUID {
		u := pgtype.UUID{Valid: true}
		u.Bytes[15] = last
		return u
	}
	session := id(0xe5)
	session.Bytes[14] = 5
	doc := func(text string) json.RawMessage { return json.RawMessage(text) }
	at := func(month time.Month, day int) time.Time { return time.Date(2025, month, day, 0, 0, 0, 0, time.UTC) }
	var (
		one    = int64(1)
		pages  = int32(400)
		text   = `O'Hara "the" \ élan`
		first  = at(1, 1)
		august = at(8, 15)
		latest = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		far    = time.FixedZone("far", 14*3600)
		dayFar = time.Date(2025, 5, 1, 0, 0, 0, 0, far)
	)
	return map[string][]any{
		"GetBook": {one}, "GetEditionByISBN": {"9780000000001"}, "ListEditionsOfBook": {one}, "ListEditions": {[]int64{1, 3}},
		"ListBooksByAuthor": {int64(2)}, "ListAuthorsOfBooks": {[]int64{1, 2}},
		"ListAuthorsAfter": {bookshop.ListAuthorsAfterParams{AfterSortName: "A", AfterID: 0, PageSize: 10}},
		"SearchBooks":      {"tide OR ebbe"}, "CountSearchHits": {"tide", "en"}, "ListBooksOfGenres": {[]string{"novel"}},
		"ListBooksWithAttributes": {doc(`{"series": "Tides"}`)},
		"ListNewReleases":         {bookshop.ListNewReleasesParams{FirstDay: dayFar, LastDay: dayFar, MaxRows: 5}},
		"FilterBooks":             {bookshop.FilterBooksParams{PublisherID: 1, MaxPages: &pages}},
		"ListCheapestEditions":    {int32(1)}, "ListBargains": {n("12.5")}, "StreamCatalog": {int64(0)},
		"ListPublishersOfLanguage": {"en"}, "ListLanguages": {int32(1)}, "ListProlificAuthors": {one}, "SuggestNames": {"A"},
		"CreateBook": {bookshop.CreateBookParams{
			PublisherID: 1, Title: text, Subtitle: &text, Description: "d", Language: "en", Genres: []string{`a,"b`, ""},
			Attributes: doc(`{"k": [1, "é"]}`), PageCount: &pages, PublishedOn: &dayFar,
		}},
		"AddBookAuthors": {bookshop.AddBookAuthorsParams{BookID: 3, AuthorIDs: []int64{1, 2}, Roles: []string{"author", "x"}}},
		"ChangePrice":    {n("99.01"), one},

		"GetCustomer": {one}, "GetCustomerByPublicID": {id(1)}, "FindCustomerByEmail": {"ADA@example.com"}, "ListCustomersByIDs": {[]int64{2, 1}},
		"ListCustomersAfter":  {bookshop.ListCustomersAfterParams{AfterCreatedAt: first, PageSize: 10}},
		"FindCustomersByName": {"ada byrne"}, "FindCustomerByPhone": {"+353 1"}, "ExportCustomers": {}, "CountCustomersByLocale": {one},
		"CreateCustomer": {bookshop.CreateCustomerParams{Email: "c@example.com", FullName: text, Phone: &text, Locale: "en", BirthDate: &dayFar}},
		"UpsertCustomer": {"ADA@example.com", text}, "UpdateCustomer": {bookshop.UpdateCustomerParams{FullName: &text, ID: 1}},
		"MergePreferences": {doc(`{"dark": null}`), one}, "AddLoyaltyPoints": {[]int64{1, 2}, []int32{7, 9}}, "CloseAccount": {one},
		"ListAddresses": {one}, "GetDefaultAddress": {one, "shipping"}, "GetAddressOfKind": {one, "billing"},
		"AddAddress": {bookshop.AddAddressParams{
			CustomerID: 2, Kind: "shipping", Line1: text, Line2: &text, City: "Bonn", PostalCode: "53111", Country: "DE",
		}},
		"DeleteAddress": {int64(2), one},

		"RecordEvent": {bookshop.RecordEventParams{CustomerID: &one, SessionID: session, Kind: "k", Payload: doc(`{}`)}},
		"RecordEvents": {bookshop.RecordEventsParams{
			SessionID: session, Kinds: []string{"a", `b"`}, Payloads: []json.RawMessage{doc(`{"x": "a,b"}`), doc(`[]`)}, Times: []time.Time{first, latest},
		}},
		"ListCustomerEvents": {one}, "ListSessionEvents": {session}, "ListComplaints": {},
		"CountEventsByHour": {bookshop.CountEventsByHourParams{Kind: "view_book", FromTime: first, ToTime: latest}},
		"CountBookViews":    {"1"}, "Enqueue": {bookshop.EnqueueParams{Queue: "q", Payload: doc(`1`), RunAt: &first}},
		"ClaimJobs": {"mail", int64(5)}, "FinishJob": {&text, one}, "NextJob": {"mail"},

		"GetStock": {one, int32(1)}, "ListStock": {one}, "LockStock": {int32(1), []int64{1, 3}},
		"ReserveStock":        {bookshop.ReserveStockParams{Quantity: 3, EditionID: 1, WarehouseID: 1}},
		"ReleaseReservations": {}, "SetStock": {bookshop.SetStockParams{WarehouseID: 1, EditionID: 2, OnHand: 4}},
		"ListShortStock": {int32(1)}, "StockValue": {},
		"LoadStockImport":   {bookshop.LoadStockImportParams{WarehouseCode: "HAM", ISBNs: []string{"9780000000001"}, Quantities: []int32{1}}},
		"ApplyStockImports": {"DUB"}, "ClearStockImports": {},

		"GetOrder": {one}, "GetOrderByNumber": {"B-1"}, "GetOrderByLegacyNumber": {n("2")}, "OrderExists": {one},
		"ListCustomerOrders": {one, int64(10)}, "ListCustomerOrdersBefore": {one, august.In(far)}, "ListOrdersPage": {int64(2), one},
		"ListOrdersOfDay": {time.Date(2025, 8, 2, 0, 0, 0, 0, far)}, "ListPendingOrders": {august}, "ListOrdersWithCoupon": {"SPRING", first},
		"ListOrderItems": {one}, "GetOrderSheet": {one}, "GetOrderSummary": {int64(2)}, "ListCustomerShipments": {one},
		"ListOrderHistory": {one}, "GetCustomerTotals": {one}, "DailyRevenue": {first, august},
		"ListTopCustomers": {bookshop.ListTopCustomersParams{Since: first, MinSpent: n("0.01"), MaxRows: 3}},
		"CreateOrder": {bookshop.CreateOrderParams{
			Number: "B-9", CustomerID: 1, ShippingAddressID: &one, Total: n("1234567890.12"), Coupon: &text, Note: &text,
		}},
		"AddOrderItems":     {bookshop.AddOrderItemsParams{OrderID: 3, EditionIDs: []int64{1, 2}, Quantities: []int32{1, 2}}},
		"SetOrderStatus":    {bookshop.SetOrderStatusParams{NewStatus: bookshop.OrderStatusPaid, ID: 2, OldStatus: bookshop.OrderStatusPending}},
		"CancelStaleOrders": {august},
		"RecordPayment": {bookshop.RecordPaymentParams{
			OrderID: 1, Provider: "card", ProviderRef: "ref-9", Status: bookshop.PaymentStatusCaptured, Amount: n("0.10"),
			Details: doc(`{"a": 1}`), CapturedAt: &august,
		}},
		"ListPaymentsOfOrders": {[]int64{1, 2}}, "MarkOrdersPaid": {"card", []string{"ref-2", "none"}}, "GetCart": {id(0xca)},
		"PutInCart":          {bookshop.PutInCartParams{CartID: id(0xca), EditionID: 1, Quantity: 3}},
		"DeleteExpiredCarts": {latest},

		"GetReview": {one}, "ListReviewsOfBook": {one},
		"ListReviewsOfBookBefore": {bookshop.ListReviewsOfBookBeforeParams{BookID: 1, BeforeCreatedAt: latest, BeforeID: 9}},
		"ListReviewsByCustomer":   {one}, "CountRatings": {one}, "GetBookRating": {one}, "ListBestRated": {int32(1), one},
		"ListReviewableBooks": {one}, "ListCriticalReviewers": {int32(1)},
		"WriteReview":       {bookshop.WriteReviewParams{BookID: 2, CustomerID: 1, Rating: 4, Title: &text, Body: &text}},
		"MarkReviewHelpful": {one}, "DeleteReview": {one, one},
	}
}

// typesCalls is the same for the package types, of whose tables each has a row.
func typesCalls(t *testing.T) map[string][]any {
	t.Helper()
	full := everything(t)
	perhaps := types.AddPerhapsParams{
		Bool: &full.Bool, Int2: &full.Int2, Numeric: &full.Numeric, Text: &full.Text, Bytea: full.Bytea, UUID: &full.UUID, JSON: full.JSON,
		Date: &full.Date, Time: &full.Time, Timestamp: &full.Timestamp, Timestamptz: &full.Timestamptz, Interval: &full.Interval,
		Mood: &full.Mood, Positive: &full.Positive, Day: &full.Day, Clock: &full.Clock, Inet: &full.Inet, Bit: &full.Bit,
		Int4range: &full.Int4range, Int8multi: full.Int8multi, Ints: full.Ints, Texts: full.Texts, Moods: full.Moods,
	}
	return map[string][]any{
		"AddEverything": {full}, "GetEverything": {int64(1)}, "TextOfEverything": {int64(1)},
		"AddPerhaps": {perhaps}, "GetPerhaps": {int64(1)},
		"SetPlace": {types.SetPlaceParams{
			Street: `Main "St", (1)`, Mood: types.MoodPlus, Born: day, Tags: []string{"a b", `"`, ""}, X: 1.5, Name: "p,q",
			Doc: json.RawMessage(`{"k": "v"}`), N: number(t, "1.25"), Size: 3, ID: 1,
		}},
		"GetPlace":  {int64(1)},
		"ListMoods": {[]types.Mood{types.MoodVeryHappy, types.MoodEmpty}, types.MoodOk},
		"CountDays": {full.Day, full.Clock}, "StreamNumbers": {int32(3)},
	}
}
