//! One step after the other: days in order, nothing taken back twice, money back to its donor once, cash where it is.

use crate::books::Books;

/// A case that is approved, with a gift of 1,000.00 in its fund: entry 7.
fn approved() -> Books {
    let books = Books::opened();
    books.does("case open --id c_1 --fund f_1 --category health --region-zh 吴忠市 --on 2026-03-01");
    books.does("case assess c_1 --need 2000 --on 2026-03-02");
    books.does("case approve c_1 --as wang --on 2026-03-03");
    books.does("account open bank/a --fund f_1");
    books.does("account open bank/b --fund f_1");
    books.does("donation receive --fund f_1 --amount 1000 --fee 6 --account bank/a --order-no 1 --on 2026-03-04");
    books
}

#[test]
fn a_step_is_not_older_than_the_one_before() {
    let books = Books::opened();
    books.does("case open --id c_1 --fund f_1 --category health --region-zh 吴忠市 --on 2026-03-02");
    books.will_not("case assess c_1 --need 2000 --on 2026-03-01", "2026-03-02, the day it was opened");
    books.does("case assess c_1 --need 2000 --on 2026-03-03");
    books.will_not("case approve c_1 --as wang --on 2026-03-02", "the day it was assessed");
    books.does("case approve c_1 --as wang --on 2026-03-03");

    let books = approved();
    let request = "disbursement request --case c_1 --amount 300 --use hospital --payee-class hospital --vouchers 1";
    books.will_not(&format!("{request} --on 2026-03-02"), "the day it was approved");
    let seq = &books.does(&format!("{request} --on 2026-03-05"))["disbursement"];
    books.will_not(&format!("disbursement approve {seq} --as wang --on 2026-03-04"), "the day it was requested");
    books.does(&format!("disbursement approve {seq} --as wang --on 2026-03-06"));
    books.will_not(&format!("disbursement pay {seq} --account bank/a --on 2026-03-05"), "the day it was approved");
    books.does(&format!("disbursement pay {seq} --account bank/a --on 2026-03-07"));
    books.will_not(&format!("disbursement return {seq} --on 2026-03-06"), "the day it was paid");
    books.does(&format!("disbursement return {seq} --on 2026-03-08"));
    books.will_not("donation refund 7 --on 2026-03-03", "the day it was received");
    books.does("donation refund 7 --on 2026-03-09");
    books.will_not("case close c_1 --on 2026-03-07", "2026-03-08");
    books.does("case close c_1 --on 2026-03-09");
    books.does("verify");
}

#[test]
fn nothing_is_taken_back_twice_and_the_right_entry_is_named() {
    let books = approved();
    let request = "disbursement request --case c_1 --amount 300 --use hospital --payee-class hospital --vouchers 1";
    let seq = books.does(request)["disbursement"].as_u64().expect("a number");
    books.does(&format!("disbursement approve {seq} --as wang"));
    books.will_not(&format!("reverse {seq}"), &format!("the payment's own entry is {}", seq + 1));
    books.does(&format!("disbursement pay {seq} --account bank/a"));
    books.will_not(&format!("reverse {seq}"), &format!("mingzhang reverse {}", seq + 2));
    let by = books.does(&format!("reverse {}", seq + 2))["entry"].clone();
    books.will_not(&format!("reverse {}", seq + 2), &format!("taken back already, by entry {by}"));

    let seq = books.does(request)["disbursement"].as_u64().expect("a number");
    books.does(&format!("disbursement approve {seq} --as wang"));
    books.does(&format!("disbursement pay {seq} --account bank/a"));
    books.does(&format!("disbursement return {seq} --amount 100"));
    books.will_not(&format!("reverse {}", seq + 2), &format!("mingzhang disbursement return {seq}"));
    books.does("verify");
    books.does("rebuild");
}

#[test]
fn the_rest_of_a_gift_goes_back_and_no_fen_more() {
    let books = approved();
    books.does("donation refund 7 --amount 400");
    books.will_not("donation refund 7 --amount 600.01", "600.00 CNY");
    let rest = books.does("donation refund 7")["entry"].as_u64().expect("a number");
    let traced = books.does("trace 7");
    let refunded = traced["uses"].as_array().expect("a list").iter();
    let sum: i64 = refunded.map(|found| found["amount"].as_i64().expect("an amount")).sum();
    assert_eq!(sum, 100_000);
    assert!(traced["uses"].as_array().is_some_and(|uses| uses.iter().any(|found| found["seq"] == rest)));
    assert_eq!(traced["unspent"]["CNY"], 0);
    books.will_not("donation refund 7", "given back in full already");
    books.does("verify");
}

#[test]
fn cash_is_where_the_books_say() {
    let books = approved();
    let at = |account: &str| {
        let listed = books.does("account list");
        let known = listed["accounts"].as_array().expect("a list").iter();
        let found = known.into_iter().find(|known| known["account"] == account).expect("it was opened").clone();
        found["balances"]["CNY"].as_i64().unwrap_or(0)
    };
    assert_eq!((at("bank/a"), at("bank/b")), (99_400, 0));
    books.will_not("account move bank/a bank/a --amount 1", "within one account");
    books.does("account move bank/a bank/b --amount 994");
    assert_eq!((at("bank/a"), at("bank/b")), (0, 99_400));
    let seq = books
        .does("disbursement request --case c_1 --amount 300 --use hospital --payee-class hospital --vouchers 1")
        ["disbursement"]
        .clone();
    books.does(&format!("disbursement approve {seq} --as wang"));
    let paid = books.run(&["disbursement", "pay", &seq.to_string(), "--account", "bank/a"]);
    assert!(paid.status.success());
    let remark = String::from_utf8_lossy(&paid.stderr).into_owned();
    assert!(remark.contains("-300.00 CNY") && remark.contains("account move"), "{remark}");
    assert_eq!(at("bank/a"), -30_000);
    books.does("rebuild");
    assert_eq!((at("bank/a"), at("bank/b")), (-30_000, 99_400));
    books.does("verify");
}

#[test]
fn limits_are_lifted_only_under_four_eyes() {
    let books = Books::opened();
    books.will_not("fund open --id edu --type restricted --name-zh 教育 --name-en Edu", "has a purpose or uses");
    books.does("fund open --id edu --type restricted --purpose minor --name-zh 教育 --name-en Edu");
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open bank/a --fund edu");
    books.will_not("donation receive --fund edu --amount 5 --unit XXX --account bank/a --order-no 1", "ISO 4217");
    books.will_not("donation receive --fund edu --amount 5 --account bank/a --order-no 1 --on 0202-03-04", "the year");
    books.does("donation receive --fund edu --amount 5 --account bank/a --order-no 1");
    books.will_not("fund transfer edu general", "for minor only");
    books.will_not("fund transfer edu general --reason wrong_fund", "is not a checker");
    books.does("fund transfer edu general --reason wrong_fund --as wang");
    books.will_not("user role admin admin --remove", "the last admin");
    books.does("user role wang admin");
    books.does("user role admin admin --remove");
    books.does("verify");
}

#[test]
fn what_moved_on_is_counted_and_comes_back() {
    let books = approved();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open bank/c --fund general");
    books.does("donation receive --fund general --amount 100 --account bank/c --order-no 2");
    let moved = || {
        let listed = books.does("fund list");
        let funds = listed["funds"].as_array().expect("a list").iter();
        let general = funds.into_iter().find(|fund| fund["fund"] == "general").expect("it was opened").clone();
        (general["totals"][0]["moved_on"].clone(), general["totals"][0]["spent"].clone())
    };
    let seq = books.does("fund transfer general f_1 --amount 30")["entry"].clone();
    books.does("fund transfer general f_1 --amount 5");
    assert_eq!(moved(), (3_500.into(), 3_500.into()));
    books.does(&format!("reverse {seq}"));
    assert_eq!(moved(), (500.into(), 500.into()));
    books.does("rebuild");
    assert_eq!(moved(), (500.into(), 500.into()));
    books.does("verify");
}
