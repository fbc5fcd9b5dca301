"""The journey of a developer with the generated Python client: sign in, read, take a quiz, see points, upload, download."""

import hashlib
import sys
import time
import uuid

import sotay


def connect(address, user):
    """The client of a signed-in person."""
    anonymous = sotay.ApiClient(sotay.Configuration(host=address))
    body = sotay.SignInIn(login=user["login"], password=user["password"], device_name="journey")
    tokens = sotay.SessionsApi(anonymous).create_session(body)
    return sotay.ApiClient(sotay.Configuration(host=address, access_token=tokens.access_token))


def read_a_document(client):
    documents = sotay.DocumentsApi(client)
    document = documents.list_documents(limit=1).items[0]
    session = documents.start_reading(document.id)
    time.sleep(session.required_seconds / 2)
    documents.send_heartbeat(session.id)
    time.sleep(session.required_seconds / 2 + 1)
    return documents.complete_reading(session.id).points_awarded


def take_the_quiz(client):
    quizzes = sotay.QuizzesApi(client)
    quiz = next(quiz for quiz in quizzes.list_quizzes().items if quiz.state == "open")
    attempt = quizzes.start_attempt(quiz.id, idempotency_key=str(uuid.uuid4()))
    answers = [sotay.AttemptAnswer(question_id=q.id, option_ids=[q.options[0].id]) for q in attempt.questions]
    quizzes.save_answers(attempt.id, sotay.AnswersIn(answers=answers))
    return quizzes.submit_attempt(attempt.id)


def upload_and_download(client):
    units, documents = sotay.UnitsApi(client), sotay.DocumentsApi(client)
    ward = next(unit for unit in units.list_units(limit=200).items if unit.kind == "grassroots_committee")
    body = sotay.DocumentIn(
        symbol=f"{int(time.time()) % 9000 + 100}-BC/ĐU", kind="bao_cao", title="Báo cáo thử", summary="", text="Một hai ba."
    )
    document = documents.create_document(ward.id, body)
    content = open("tests/fixtures/12-KH-DU.pdf", "rb").read()
    file = documents.add_document_file(document.id, filename="bao-cao.pdf", body=content)
    loaded = documents.download_document_file(document.id, file.id)
    assert hashlib.sha256(loaded).digest() == hashlib.sha256(content).digest(), "the file came back as another one"
    return len(loaded)


def main(address, users):
    member = connect(address, users["member"])
    print("signed in as", sotay.MeApi(member).get_me().full_name)
    print("visit:", sotay.PointsApi(member).record_visit().points_awarded, "points")
    print("read:", read_a_document(member), "points")
    print("quiz: score", take_the_quiz(member).score)
    month = sotay.PointsApi(member).get_my_points()
    print("month:", month.points, "of", month.threshold, month.status)
    print("file:", upload_and_download(connect(address, users["propaganda_officer"])), "bytes there and back")


if __name__ == "__main__":
    import json

    ready = json.loads(sys.argv[1])
    main(ready["base_url"], {user["role"]: user for user in ready["users"]})
