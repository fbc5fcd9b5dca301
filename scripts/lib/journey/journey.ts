// The journey of a developer with the generated TypeScript client: sign in, read, take a quiz, see points, upload, download.

import { readFile } from "node:fs/promises";
import { Configuration, DocumentsApi, MeApi, PointsApi, QuizzesApi, SessionsApi, UnitsApi } from "./client/index.js";

type User = { role: string; login: string; password: string };

const ready: { base_url: string; users: User[] } = JSON.parse(process.argv[2] ?? "{}");
const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));

async function connect(role: string): Promise<Configuration> {
  const user = ready.users.find((user) => user.role === role);
  if (!user) throw new Error(`no ${role}`);
  const anonymous = new SessionsApi(new Configuration({ basePath: ready.base_url }));
  const { login, password } = user;
  const tokens = await anonymous.createSession({ signInIn: { login, password, deviceName: "journey" } });
  return new Configuration({ basePath: ready.base_url, accessToken: tokens.accessToken });
}

async function readADocument(client: Configuration): Promise<number> {
  const documents = new DocumentsApi(client);
  const [document] = (await documents.listDocuments({ limit: 1 })).items;
  const session = await documents.startReading({ documentId: document!.id });
  await pause(session.requiredSeconds / 2);
  await documents.sendHeartbeat({ sessionId: session.id });
  await pause(session.requiredSeconds / 2 + 1);
  return (await documents.completeReading({ sessionId: session.id })).pointsAwarded;
}

async function takeTheQuiz(client: Configuration): Promise<number> {
  const quizzes = new QuizzesApi(client);
  const quiz = (await quizzes.listQuizzes({})).items.find((quiz) => quiz.state === "open");
  const attempt = await quizzes.startAttempt({ quizId: quiz!.id, idempotencyKey: crypto.randomUUID() });
  const answers = attempt.questions.map((question) => ({ questionId: question.id, optionIds: [question.options[0]!.id] }));
  await quizzes.saveAnswers({ attemptId: attempt.id, answersIn: { answers } });
  return (await quizzes.submitAttempt({ attemptId: attempt.id })).score;
}

async function uploadAndDownload(client: Configuration): Promise<number> {
  const documents = new DocumentsApi(client);
  const units = (await new UnitsApi(client).listUnits({ limit: 200 })).items;
  const ward = units.find((unit) => unit.kind === "grassroots_committee");
  const symbol = `${(Math.floor(Date.now() / 1000) % 9000) + 100}-BC/ĐU`;
  const documentIn = { symbol, kind: "bao_cao" as const, title: "Báo cáo thử", summary: "", text: "Một hai ba." };
  const document = await documents.createDocument({ unitId: ward!.id, documentIn });
  const content = await readFile("tests/fixtures/12-KH-DU.pdf");
  const body = new Blob([content], { type: "application/pdf" });
  const file = await documents.addDocumentFile({ documentId: document.id, filename: "bao-cao.pdf", body });
  const loaded = await documents.downloadDocumentFile({ documentId: document.id, fileId: file.id });
  if (!content.equals(Buffer.from(await loaded.arrayBuffer()))) throw new Error("the file came back as another one");
  return loaded.size;
}

// Another person than in Python: between two attempts at a quiz is a pause.
const member = await connect("inspector");
console.log("signed in as", (await new MeApi(member).getMe({})).fullName);
console.log("visit:", (await new PointsApi(member).recordVisit({})).pointsAwarded, "points");
console.log("read:", await readADocument(member), "points");
console.log("quiz: score", await takeTheQuiz(member));
const month = await new PointsApi(member).getMyPoints({});
console.log("month:", month.points, "of", month.threshold, month.status);
console.log("file:", await uploadAndDownload(await connect("propaganda_officer")), "bytes there and back");
