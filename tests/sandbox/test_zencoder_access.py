"""Keys, quotas, versions, account and reports."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client, StartSandbox

SOURCE = "https://media.example.com/reel.mov"


def test_a_key_may_come_in_the_header_the_query_or_the_body(clockwork: RunningSandbox) -> None:
    url = clockwork.api_url("zencoder") + "/jobs"
    key = clockwork.keys["zencoder_api_key"]

    in_query = requests.get(f"{url}.json?api_key={key}", timeout=60)
    in_body = requests.post(url, json={"api_key": key, "input": SOURCE}, timeout=60)

    assert in_query.status_code == 200
    assert in_body.status_code == 201


@pytest.mark.parametrize("headers", [{}, {"Zencoder-Api-Key": "wrong"}])
def test_without_a_valid_key_the_answer_is_401(
    clockwork: RunningSandbox, headers: dict[str, str]
) -> None:
    response = requests.get(clockwork.api_url("zencoder") + "/jobs", headers=headers, timeout=60)

    assert response.status_code == 401
    assert response.json()["errors"]


def test_a_read_only_key_reads_single_jobs_without_urls_and_messages(
    start_sandbox: StartSandbox,
) -> None:
    sandbox = start_sandbox(time_scale=100)
    owner = Client(sandbox)
    failed = owner.create("https://media.example.com/corrupt.mp4")["id"]
    owner.wait(failed, "failed")
    reader = Client(sandbox, "zencoder_read_only_key")

    job = reader.job(failed)

    assert owner.job(failed)["input_media_file"]["error_message"]
    assert job["input_media_file"]["error_class"] == "UnreadableFileError"
    assert job["input_media_file"]["error_message"] is None
    assert job["input_media_file"]["url"] is job["output_media_files"][0]["url"] is None
    assert reader.call("GET", f"/jobs/{failed}/progress").status_code == 200
    for method, path in (("GET", "/jobs"), ("POST", "/jobs"), ("GET", "/account")):
        assert reader.call(method, path, json={"input": SOURCE}).status_code == 403


def test_an_integration_key_makes_test_jobs_only(clockwork: RunningSandbox) -> None:
    assert Client(clockwork, "zencoder_integration_key").create(SOURCE)["test"] is True


def test_integration_mode_makes_every_job_a_test(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)

    assert client.call("PUT", "/account/integration").status_code == 204
    assert client.get("/account")["integration_mode"] is True
    assert client.create(SOURCE)["test"] is True
    assert client.call("PUT", "/account/live").status_code == 204
    assert "test" not in client.create(SOURCE)


def test_an_account_without_billing_can_not_go_live(clockwork: RunningSandbox) -> None:
    response = Client(clockwork, "zencoder_second_api_key").call("PUT", "/account/live")

    assert response.status_code == 402


def test_too_many_requests_are_refused_with_403_and_text(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(rate_limit=3))

    answers = [client.call("GET", "/jobs") for _ in range(4)]

    remaining = [answer.headers["X-Zencoder-Rate-Remaining"] for answer in answers]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert remaining == ["2", "1", "0", "0"]
    assert answers[-1].text.strip() == "403 Forbidden (Rate Limit Exceeded)"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_quotas_are_apart_by_account_method_and_resource(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(rate_limit=1)
    client = Client(sandbox)
    created = client.create(SOURCE)
    assert client.call("GET", "/jobs").status_code == 200
    assert client.call("GET", "/jobs").status_code == 403

    # Details of jobs and outputs share one quota, which the list has not touched.
    assert client.call("GET", f"/jobs/{created['id']}").status_code == 200
    assert client.call("GET", f"/outputs/{created['outputs'][0]['id']}").status_code == 403
    assert client.call("POST", "/jobs", json={"input": SOURCE}).status_code == 201
    assert Client(sandbox, "zencoder_second_api_key").call("GET", "/jobs").status_code == 200


def test_each_kind_of_call_has_the_quota_that_was_recorded(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(rate_limit=60))
    created = client.call("POST", "/jobs", json={"input": SOURCE})
    job_id = created.json()["id"]
    paths = (f"/jobs/{job_id}", "/jobs", f"/jobs/{job_id}/progress", "/account")

    left = [client.call("GET", path).headers["X-Zencoder-Rate-Remaining"] for path in paths]

    assert created.headers["X-Zencoder-Rate-Remaining"] == "999"
    assert left == ["59", "59", "4999", "4999"]


def test_the_progress_of_each_output_has_a_quota_of_its_own(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(rate_limit=1))
    outputs = client.create(SOURCE, {}, {})["outputs"]
    paths = [f"/outputs/{output['id']}/progress" for output in outputs]

    answers = [client.call("GET", path).status_code for path in (*paths, paths[0])]

    assert answers == [200, 200, 403]


def test_an_unknown_version_moves_on_in_html(clockwork: RunningSandbox) -> None:
    url = clockwork.api_url("zencoder").replace("/v2", "/v90") + "/jobs"

    response = requests.get(url, timeout=60, allow_redirects=False)

    assert response.status_code == 301
    assert response.headers["Content-Type"].startswith("text/html")


def test_answers_carry_the_recorded_headers(clockwork: RunningSandbox) -> None:
    headers = Client(clockwork).call("GET", "/jobs").headers

    assert headers["Server"] == "ZenServer 0.1.9"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["ETag"].startswith('"')
    assert headers["X-Zencoder-Rate-Remaining"] == "60"


def test_an_account_reports_more_than_a_client_should_keep(clockwork: RunningSandbox) -> None:
    account = Client(clockwork).get("/account")

    assert {"billing_first_name", "billing_last_name", "balance_in_cents"} <= set(account)


def test_notifications_are_listed_whether_sent_or_not_from_a_time_on(
    start_sandbox: StartSandbox,
) -> None:
    client = Client(start_sandbox(time_scale=100))
    created = client.create(SOURCE, notifications=["http://127.0.0.1:9/nobody-listens"])
    client.wait(created["id"], "finished")
    later = datetime.now(UTC) + timedelta(hours=1)

    listed = client.get("/notifications")["notifications"]
    since = client.get(f"/notifications?since={later:%Y-%m-%dT%H:%M:%SZ}")["notifications"]

    assert [body["job"]["id"] for body in listed] == [created["id"]]
    assert since == []
    assert client.call("GET", "/notifications?since=soon").status_code == 422


def test_minutes_are_reported_by_day_and_grouping(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(seed_jobs=120))

    report = client.get("/reports/vod")
    news = client.get("/reports/minutes?grouping=news")

    assert report["total"]["encoded_minutes"] == sum(
        each["encoded_minutes"] for each in report["statistics"]
    )
    assert {each["grouping"] for each in news["statistics"]} == {"news"}
    assert 0 < news["total"]["encoded_minutes"] < report["total"]["encoded_minutes"]


def test_the_running_day_is_not_yet_reported(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(time_scale=1000))
    noon = (datetime.now(UTC) + timedelta(days=1)).replace(hour=12)
    query = f"/reports/vod?from={noon.date()}&to={(noon + timedelta(days=2)).date()}"

    with time_machine.travel(noon):
        client.wait(client.create(SOURCE)["id"], "finished")
        assert client.get(query)["statistics"] == []
    with time_machine.travel(noon + timedelta(days=1)):
        assert [each["collected_on"] for each in client.get(query)["statistics"]] == [
            str(noon.date())
        ]


@pytest.mark.parametrize("query", ["from=yesterday", "from=2026-01-01&to=2026-06-01"])
def test_a_report_over_a_wrong_range_is_refused(clockwork: RunningSandbox, query: str) -> None:
    assert Client(clockwork).call("GET", f"/reports/vod?{query}").status_code == 422
